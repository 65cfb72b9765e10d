/** SIGKILL of a whole study, with the processes that train for it, at random moments; the same command then goes on. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lyceum } from "../command.js";
import { differingFiles, type EndState, endStateOf, sha256OfAll } from "../end-state.js";
import type { Fault, Outcome } from "../fault.js";
import { lastLines, lostUntil, type Workplace } from "../workplace.js";

const study = `base:
  data: { name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 80, testCount: 40, heldOut: 0.2 }
  model: resnet8
  generations: 2
  epochs: 2
  batchSize: 16
seeds: [0]
reference: strict
arms:
  strict: { patriarch: strict }
  tolerant: { patriarch: { k: 3, primaryScore: 0.8 } }
`;

/** The networks' numbers and scores, without what the report makes of them. */
function networksOf(results: string): EndState {
  return new Map([...endStateOf(join(results, "networks"))].filter(([name]) => !name.includes(".weights.")));
}

const unbroken = new WeakMap<Workplace, Promise<{ end: EndState; milliseconds: number }>>();

const train = (folder: string, onOutput?: Parameters<typeof lyceum>[1]["onOutput"]) =>
  lyceum(["study", "job.yaml"], {
    cwd: folder,
    group: true,
    ...(onOutput && { onOutput }),
  });

function begin(place: Workplace): string {
  const { folder } = place.job("plain");
  writeFileSync(join(folder, "job.yaml"), study);
  return folder;
}

async function trainUnbroken(place: Workplace) {
  const folder = begin(place);
  const ended = await train(folder);
  if (ended.code !== 0) throw new Error(`the unbroken study failed: ${lastLines(ended.output)}`);
  return { end: networksOf(join(folder, "results", "job")), milliseconds: ended.at - ended.began };
}

async function strike(place: Workplace, _index: number, random: () => number): Promise<Outcome> {
  if (!unbroken.has(place)) unbroken.set(place, trainUnbroken(place));
  const { end, milliseconds } = await unbroken.get(place)!;
  const folder = begin(place);
  const results = join(folder, "results", "job");
  let timer: NodeJS.Timeout | undefined;
  const after = random() * milliseconds;
  const struck = await train(folder, (_, child) => {
    // The whole group, as a machine that goes down takes all of its processes.
    timer ??= setTimeout(() => process.kill(-child.pid!, "SIGKILL"), after);
  });
  clearTimeout(timer);
  const lost = struck.code === 0 ? 0 : lostUntil(struck.at, results, struck.began);
  const again = await train(folder);
  if (again.code !== 0) return { survived: false, lostSeconds: lost, problem: lastLines(again.output) };
  const found = networksOf(results);
  const differing = differingFiles(end, found);
  const problem = differing.length > 0 ? `other than unbroken: ${differing.join(", ")}` : undefined;
  const digest = {
    of: "study: all networks' numbers and scores",
    unbroken: sha256OfAll(end),
    found: sha256OfAll(found),
  };
  return { survived: true, bitIdentical: differing.length === 0, digest, lostSeconds: lost, problem };
}

export const studies: Fault = { name: "SIGKILL of a study", tries: { full: 10, quick: 0 }, strike };
