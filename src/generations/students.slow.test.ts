import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { methods } from "../methods/index.js";
import type { RecipeInput } from "../recipe/index.js";
import { trainGenerations } from "./index.js";

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 10, size: 8, channels: 1, trainCount: 48, testCount: 20 },
  model: "resnet8",
  patriarch: "strict",
  generations: 3,
  epochs: 2,
  batchSize: 16,
  schedule: { kind: "cosine" },
};
const folder = () => join(mkdtempSync(join(tmpdir(), "lyceum-students-")), "run");
const logitsOf = (directory: string, generation: number) =>
  readFileSync(join(directory, `generation-${generation}/test-logits.safetensors`));

// Weights that are not trained are no student's.
const trained = methods.map(({ name }) => name).filter((name) => name !== "pretrained");

it.each(trained)("a line of students learns by %s", async (student) => {
  const run = await trainGenerations({ ...recipe, student });
  expect(run.generations).toHaveLength(3);
  for (const { test } of run.generations) expect(Number.isFinite(test.nll)).toBe(true);
});

it("weights that come to the same train the same networks, however the recipe says so", async () => {
  const trained: string[] = [];
  for (const hardWeight of [{ from: 0.2, to: 0.6 }, [0.2, 0.6], 0.2]) {
    const directory = folder();
    await trainGenerations({ ...recipe, student: { hardWeight } }, { directory });
    trained.push(directory);
  }
  const [linear, list, fixed] = trained as [string, string, string];
  for (const generation of [1, 2]) expect(logitsOf(linear, generation)).toEqual(logitsOf(list, generation));
  expect(logitsOf(fixed, 1)).toEqual(logitsOf(linear, 1));
  expect(logitsOf(fixed, 2)).not.toEqual(logitsOf(linear, 2));
});

it("permutations are the same after a stop", async () => {
  const [whole, stopped] = [folder(), folder()];
  const input = { ...recipe, generations: 2, student: "permuted-distillation" };
  await trainGenerations(input, { directory: whole });
  const controller = new AbortController();
  const training = trainGenerations(input, {
    directory: stopped,
    signal: controller.signal,
    onProgress: (event) => {
      if (event.type === "epoch" && event.record.generation === 1) controller.abort();
    },
  });
  await expect(training).rejects.toThrow("can be resumed");
  await trainGenerations(input, { directory: stopped, resume: true });
  expect(logitsOf(stopped, 1)).toEqual(logitsOf(whole, 1));
});
