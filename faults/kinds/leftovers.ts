/** Temporary files of killed writes, of all kinds: they are gone after the next start, and nothing else is. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import type { Workplace } from "../workplace.js";

async function strike(place: Workplace, index: number): Promise<Outcome> {
  const job = await place.halfway(place.turn(index));
  const pid = spawnSync(process.execPath, ["-e", "0"]).pid;
  const left = [
    `.summary.json.${pid}.0badcafe.tmp`,
    `.recipe.yaml.${pid}.0badcafe.tmp`,
    `.report.html.${pid}.0badcafe.tmp`,
    `.lock.${pid}.0badcafe`,
    `generation-0/weights.safetensors.${pid}.tmp`,
    `generation-1/test-logits.safetensors.${pid}.tmp`,
    `generation-1/checkpoint/state.safetensors.${pid}.tmp`,
    `transfer/.photos.json.${pid}.0badcafe.tmp`,
  ];
  for (const file of left) {
    mkdirSync(dirname(join(job.run, file)), { recursive: true });
    writeFileSync(join(job.run, file), "half");
  }
  const outcome = await place.finish(job, 0);
  const still = left.filter((file) => existsSync(join(job.run, file)));
  place.clear(job, outcome);
  return still.length === 0
    ? outcome
    : { ...outcome, survived: false, problem: `still there: ${still.join(", ")}` };
}

export const leftovers: Fault = { name: "leftovers of killed writes", tries: { full: 2, quick: 1 }, strike };
