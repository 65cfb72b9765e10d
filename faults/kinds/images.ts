/** Images in files that vanish while the job trains, and come back. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lyceum } from "../command.js";
import { differingFiles, endStateOf } from "../end-state.js";
import type { Fault, Outcome } from "../fault.js";
import { writePng } from "../png.js";
import { isSentence, lastLines, lostUntil, type Workplace } from "../workplace.js";

const recipe = `data: { folder: ../images, size: 8, heldOut: 0 }
model: resnet8
patriarch: { k: 2 }
generations: 2
epochs: 3
batchSize: 4
schedule: { kind: multi-step, milestones: [2] }
threads: 1
`;

/** Writes a small set of photographs: three classes, in two parts. */
function writeImages(folder: string): void {
  for (const [part, count] of [["train", 12], ["val", 4]] as const) // biome-ignore format: a table
    for (const [c, name] of ["ash", "birch", "cedar"].entries()) {
      mkdirSync(join(folder, part, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const value = (x: number, y: number, channel: number) =>
          (37 * x + 11 * y * (c + 1) + 61 * channel + 13 * i) % 256;
        writeFileSync(join(folder, part, name, `${i}.png`), writePng(16, value));
      }
    }
}

async function strike(place: Workplace): Promise<Outcome> {
  const job = place.job("plain");
  const images = join(job.folder, "images");
  const work = join(job.folder, "work");
  writeImages(images);
  mkdirSync(work);
  writeFileSync(join(work, "job.yaml"), recipe);
  const train = (name: string, onOutput?: (output: string) => void) =>
    lyceum(["train", "job.yaml", "--name", name, "--auto-resume"], {
      cwd: work,
      ...(onOutput && { onOutput }),
    });
  const whole = await train("whole");
  if (whole.code !== 0) return { survived: false, lostSeconds: 0, problem: lastLines(whole.output) };

  let taken = false;
  const ended = await train("job", (output) => {
    if (taken || !output.includes("generation 2/2 student  epoch 1/3")) return;
    taken = true;
    renameSync(images, `${images}-away`);
  });
  const run = join(work, "runs", "job");
  const lost = lostUntil(ended.at, run, ended.began);
  if (!isSentence(ended) || !/images\/(train|val)\//.test(ended.output))
    return { survived: false, lostSeconds: lost, problem: lastLines(ended.output) };
  renameSync(`${images}-away`, images);
  const again = await train("job");
  if (again.code !== 0) return { survived: false, lostSeconds: lost, problem: lastLines(again.output) };
  const without = (state: ReadonlyMap<string, string>) =>
    new Map([...state].filter(([name]) => name !== "recipe.yaml"));
  const differing = differingFiles(
    without(endStateOf(join(work, "runs", "whole"))),
    without(endStateOf(run)),
  );
  const problem = differing.length > 0 ? `other than unbroken: ${differing.join(", ")}` : undefined;
  const outcome = { survived: true, bitIdentical: differing.length === 0, lostSeconds: lost, problem };
  place.clear(job, outcome);
  return outcome;
}

export const images: Fault = { name: "images in files vanish", tries: { full: 3, quick: 1 }, strike };
