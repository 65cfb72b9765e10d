/** Trainings of several processes on the loopback, beside one process. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort, variablesOf } from "../distributed/launch.js";
import { type Bundle, bundle, start } from "../torch/testing/child.js";
import type { RankTrained, RankTraining } from "./testing/rank-training.js";

let program: Bundle;
beforeAll(async () => {
  program = await bundle("src/training/testing/rank-training.ts");
});
afterAll(() => program[Symbol.dispose]());

/** Trains in some processes. @returns what each has told of each training */
async function trainOn(size: number, trainings: readonly RankTraining[]): Promise<RankTrained[][]> {
  const port = await freePort();
  const ends = await Promise.all(
    Array.from({ length: size }, (_, rank) => {
      const env = size === 1 ? {} : variablesOf(rank, size, port);
      return start(program.script, [JSON.stringify(trainings)], { env }).ended;
    }),
  );
  for (const { code, stderr } of ends) expect([code, stderr]).toEqual([0, ""]);
  return ends.map(({ stdout }) => JSON.parse(stdout.trim().split("\n").at(-1)!));
}

/** The largest difference of the first losses, as a fraction of the largest loss. */
function difference({ losses: a }: RankTrained, { losses: b }: RankTrained): number {
  return Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!))) / Math.max(...b);
}

const sync = { network: "one-block", kernels: "exact", syncBatchNorm: true } as const;
const inDouble: RankTraining = { ...sync, dtype: "float64", batchSize: 16, epochs: 10, learningRate: 0.05 };
/**
 * In float32 an activation that is zero but for rounding now and then falls on the other side of a ReLU, whoever computes it,
 * and what follows grows with the learning rate.
 */
const inSingle: RankTraining = { ...inDouble, dtype: "float32", epochs: 4, learningRate: 0.002 };
/** Batches of which processes have one image each, or all the same ones: 77, then 3. */
const ofFew: RankTraining = { ...inDouble, batchSize: 77, epochs: 2 };

let one: RankTrained[];
beforeAll(async () => {
  [one] = (await trainOn(1, [inDouble, inSingle, ofFew])) as [RankTrained[]];
  const [first, last] = [one[0]!.losses[0]!, one[0]!.losses.at(-1)!];
  expect(last).toBeLessThan(0.95 * first);
});

// results/ranks.md has 50 steps of ResNet-20 on four processes too.
it.each([
  { size: 2, epochs: 10 },
  { size: 4, epochs: 2 },
])(
  "$size processes have the losses of one, to rounding, with the batch norm of all images",
  async ({ size, epochs }) => {
    const trainings = [{ ...inDouble, epochs }, ofFew, ...(size === 2 ? [inSingle] : [])];
    const all = await trainOn(size, trainings);
    for (const each of all) expect(each).toEqual(all[0]);
    const [double, few, single] = all[0] as [RankTrained, RankTrained, RankTrained | undefined];
    expect(double.losses.length).toBe(5 * epochs);
    expect(difference(double, one[0]!)).toBeLessThan(1e-10);
    expect(few.losses.length).toBe(one[2]!.losses.length);
    expect(difference(few, one[2]!)).toBeLessThan(1e-10);
    if (!single) return;
    expect(single.losses.length).toBe(20);
    // The first step has nothing but its own roundings.
    expect(Math.abs(single.losses[0]! / one[1]!.losses[0]! - 1)).toBeLessThan(1e-6);
    expect(difference(single, one[1]!)).toBeLessThan(1e-3);
  },
  300_000,
);

it("two processes come to the same bits in each run", async () => {
  const training: RankTraining = {
    ...{ network: "resnet8", dtype: "float32", kernels: "fast", syncBatchNorm: false },
    ...{ batchSize: 16, epochs: 2, learningRate: 0.05 },
  };
  const [first, second] = [await trainOn(2, [training]), await trainOn(2, [training])];
  expect(second).toEqual(first);
  expect(first[1]).toEqual(first[0]);
});
