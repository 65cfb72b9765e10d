/** A line that several processes train, all of them in this one here. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RanksDiffer } from "../distributed/index.js";
import type { RecipeInput } from "../recipe/index.js";
import { RunFolder } from "../runs/index.js";
import type { ProgressEvent } from "../runs/types.js";
import { localGroups } from "../training/testing/local-groups.js";
import { evaluateRun, Interrupted, type TrainGenerationsOptions, trainGenerations } from "./index.js";

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, heldOut: 0.25 },
  model: "resnet8",
  patriarch: { k: 3 },
  generations: 2,
  epochs: 2,
  batchSize: 16,
  averageWeights: { decay: 0.9 },
  schedule: { kind: "cosine" },
  threads: 1,
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-ranks-"));
  return () => rmSync(root, { recursive: true });
});

/** Trains on a number of ranks. @returns what became of each */
function trainOn(
  size: number,
  options: TrainGenerationsOptions & { signals?: AbortSignal[]; recipes?: RecipeInput[] },
) {
  return Promise.allSettled(
    localGroups(size).map((group, rank) =>
      trainGenerations(options.recipes?.[rank] ?? recipe, {
        ...options,
        group,
        signal: options.signals?.[rank],
      }),
    ),
  );
}

const reasons = (ends: readonly PromiseSettledResult<unknown>[]) =>
  ends.map((end) => (end.status === "rejected" ? end.reason : undefined));

function weightsIn(directory: string): string[] {
  return [0, 1].map((g) =>
    readFileSync(join(directory, `generation-${g}/weights.safetensors`)).toString("base64"),
  );
}

const isEpochOf = (generation: number) => (event: ProgressEvent) =>
  event.type === "epoch" && event.record.generation === generation;

describe("a line on several ranks", () => {
  it("is written by the first, and goes on after a stop of any to the bits of the unbroken one", async () => {
    const whole = join(root, "whole");
    const tellers = [0, 0];
    const ends = await trainOn(2, { directory: whole, onProgress: () => void tellers[0]!++ });
    expect(reasons(ends)).toEqual([undefined, undefined]);
    const [first, second] = ends.map(
      (end) => (end as PromiseFulfilledResult<Awaited<ReturnType<typeof trainGenerations>>>).value,
    );
    expect(second!.generations.map(({ test }) => test)).toEqual(first!.generations.map(({ test }) => test));
    // One process that reads the same weights comes to the same numbers, to the last bit.
    const alone = await evaluateRun(whole);
    expect(alone.generations.map(({ test }) => test)).toEqual(first!.generations.map(({ test }) => test));
    expect((await (await RunFolder.open(whole)).readMetrics()).length).toBe(4);

    const broken = join(root, "broken");
    const controllers = [new AbortController(), new AbortController()];
    const stopped = await trainOn(2, {
      directory: broken,
      signals: controllers.map(({ signal }) => signal),
      // The second process is asked to stop, in the second generation.
      onProgress: (event) => isEpochOf(1)(event) && controllers[1]!.abort(),
    });
    for (const reason of reasons(stopped)) expect(reason).toBeInstanceOf(Interrupted);
    const resumed = await trainOn(2, { directory: broken, resume: true });
    expect(reasons(resumed)).toEqual([undefined, undefined]);
    expect(weightsIn(broken)).toEqual(weightsIn(whole));
  });

  it("goes on with another number of ranks, and says what is no longer identical", async () => {
    const directory = join(root, "other");
    const controller = new AbortController();
    await trainOn(2, {
      directory,
      signals: [controller.signal],
      onProgress: (event) => isEpochOf(0)(event) && controller.abort(),
    });
    const notes: string[] = [];
    const note = (event: ProgressEvent) => event.type === "note" && notes.push(event.message);
    const ends = await trainOn(3, { directory, resume: true, onProgress: note });
    expect(reasons(ends)).toEqual([undefined, undefined, undefined]);
    expect(notes.join()).toContain("3 processes (before: 2 processes)");
  });

  it.each([
    ["confidence-weighted-labels", {}, /student: confidence-weighted-labels trains in one process only/],
    [
      "correlation-distillation",
      {},
      /student: correlation-distillation trains in one process only, since intraWeight/,
    ],
    [
      "strict",
      { batchSize: 3 },
      /batchSize: 3 images for 2 processes are too few: each needs 2 or more, so at least 4/,
    ],
    ["strict", { batchSize: 8, accumulate: 4 }, /accumulate: 4 parts of 4 images.*at most 2/],
  ])("refuses by name what cannot be trained so: %s %j", async (method, changes, message) => {
    const refused = { ...recipe, ...changes, student: { method } };
    const ends = await trainOn(2, { recipes: [refused, refused] });
    for (const reason of reasons(ends)) expect((reason as Error).message).toMatch(message);
  });

  it("takes as many images for each process as batchSizePerRank says", async () => {
    const { batchSize: _, ...rest } = recipe;
    const directory = join(root, "per-rank");
    const each: RecipeInput = { ...rest, batchSizePerRank: 8, generations: 1, epochs: 1 };
    await trainOn(2, { directory, recipes: [each, each] });
    expect((await RunFolder.open(directory)).recipe).toMatchObject({ batchSize: 16 });
    expect((await RunFolder.open(directory)).recipe.batchSizePerRank).toBeUndefined();
  });

  it("does not begin where the processes have different recipes", async () => {
    const ends = await trainOn(2, { recipes: [recipe, { ...recipe, seed: 1 }] });
    for (const reason of reasons(ends)) {
      expect(reason).toBeInstanceOf(RanksDiffer);
      expect((reason as Error).message).toContain("the ranks differ in recipe (rank 0: ");
    }
  });
});
