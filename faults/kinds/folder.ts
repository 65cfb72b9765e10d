/** A run folder that is moved, or removed, while the job trains in it. */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { isSentence, lastLines, lostUntil, type Workplace } from "../workplace.js";

async function strike(place: Workplace, index: number, kind: "moved" | "removed"): Promise<Outcome> {
  const job = place.job(place.turn(index));
  const elsewhere = place.job(job.name);
  let done = false;
  const ended = await place.train(job, {
    onOutput: (output) => {
      if (done || !output.includes("generation 2/3 student  epoch 1/3")) return;
      done = true;
      mkdirSync(dirname(elsewhere.run), { recursive: true });
      if (kind === "moved") renameSync(job.run, elsewhere.run);
      else rmSync(job.run, { recursive: true, force: true });
    },
  });
  if (!isSentence(ended) || !/runs\/job\S*: .*gone/.test(ended.output))
    return { survived: false, lostSeconds: 0, problem: lastLines(ended.output) };
  // What was moved goes on in its new place; what was removed begins anew.
  const next = kind === "moved" ? elsewhere : job;
  const lost = lostUntil(ended.at, next.run, ended.began);
  if (kind === "removed") rmSync(join(job.folder, "runs"), { recursive: true, force: true });
  const outcome = await place.finish(next, lost);
  place.clear(job, outcome);
  place.clear(elsewhere, outcome);
  return outcome;
}

export const folders: readonly Fault[] = (["moved", "removed"] as const).map((kind) => ({
  name: `the folder is ${kind}`,
  tries: { full: 4, quick: 1 },
  strike: (place, index) => strike(place, index, kind),
}));
