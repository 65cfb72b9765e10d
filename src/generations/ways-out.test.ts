/** Tests that every way out of a training or an evaluation frees the tensors that it held. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { distillation } from "../methods/index.js";
import type { RecipeInput } from "../recipe/index.js";
import { memoryStats } from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { evaluateRun, trainGenerations } from "./index.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-ways-out-"));
  return () => rmSync(root, { recursive: true });
});

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, heldOut: 0.25 },
  model: "resnet8",
  patriarch: { k: 3 },
  generations: 2,
  epochs: 2,
  batchSize: 16,
  averageWeights: { decay: 0.9 },
  optimizer: "adamw",
  threads: 1,
};

/** Makes a student's method whose loss fails in its n-th step. */
const failing = (n: number) => {
  let steps = 0;
  return {
    ...distillation,
    name: "failing",
    loss: (
      input: Parameters<typeof distillation.loss>[0],
      options: Parameters<typeof distillation.loss>[1],
    ) => {
      if (++steps === n) throw new Error("as it was meant to");
      return distillation.loss(input, options);
    },
  };
};

const bang = { optimizer: { learningRate: 1000 }, averageWeights: undefined, epochs: 30 };
const unheld = { ...(recipe.data as object), heldOut: 0 };
test.each([
  ["a loss that fails in the first step", { student: failing(1) }, "as it was meant to"],
  ["a loss that fails in the second epoch", { student: failing(4) }, "as it was meant to"],
  ["a validation that finds a broken network", bang, /generation 0 .* not finite\. .* clipNorm/],
  ["a loss that is not a number", { ...bang, data: unheld }, /generation 0 .* became NaN .* clipNorm/],
])("%s", async (_, change, message) => {
  await trainGenerations({ ...recipe, generations: 1 });
  const { averageWeights, ...input } = { ...recipe, ...change } as RecipeInput;
  const before = settled();
  await expect(trainGenerations({ ...input, ...(averageWeights && { averageWeights }) })).rejects.toThrow(
    message,
  );
  expect(memoryStats()).toEqual(before);
});

test.each(["images", "start", "generation-start", "step", "epoch", "generation-end", "end"])(
  "a listener that fails when it is told of %s",
  async (type) => {
    await trainGenerations({ ...recipe, generations: 1 });
    const before = settled();
    const onProgress = (event: { type: string }) => {
      if (event.type === type) throw new Error("as it was meant to");
    };
    const told = trainGenerations(recipe, { directory: join(root, "run"), onProgress });
    // So small a set is drawn, and a step done, before progress is due.
    if (["images", "step"].includes(type)) await told.catch(() => {});
    else await expect(told).rejects.toThrow("as it was meant to");
    expect(memoryStats()).toEqual(before);
  },
);

test.each(["weights", "test-logits"])(
  "a run that goes on, or is evaluated, with damaged %s",
  async (file) => {
    const directory = join(root, "run");
    await trainGenerations({ ...recipe, generations: 2 }, { directory });
    writeFileSync(join(directory, "generation-1", `${file}.safetensors`), "not one");
    const longer = join(directory, "recipe.yaml");
    writeFileSync(longer, readFileSync(longer, "utf8").replace("generations: 2", "generations: 3"));
    const before = settled();
    await expect(trainGenerations(recipe, { directory, resume: true })).rejects.toThrow(file);
    expect(memoryStats()).toEqual(before);
    await expect(evaluateRun(directory)).rejects.toThrow(file);
    expect(memoryStats()).toEqual(before);
  },
);

test.each(["weights", "test-logits"])("a generation whose %s cannot be written", async (file) => {
  await trainGenerations({ ...recipe, generations: 1 });
  const before = settled();
  const directory = join(root, "run");
  const onProgress = (event: { type: string }) => {
    if (event.type === "epoch")
      mkdirSync(join(directory, "generation-0", `${file}.safetensors`), { recursive: true });
  };
  await expect(trainGenerations(recipe, { directory, onProgress })).rejects.toThrow(file);
  expect(memoryStats()).toEqual(before);
});
