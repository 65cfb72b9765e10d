import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { resnet8 } from "../models/index.js";
import type { RecipeInput } from "../recipe/index.js";
import { evaluateRun, trainGenerations } from "./index.js";

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 32, testCount: 20 },
  patriarch: "strict",
  generations: 1,
  epochs: 1,
  batchSize: 16,
  schedule: { kind: "cosine" },
};
const folder = () => join(mkdtempSync(join(tmpdir(), "lyceum-generations-")), "run");

test("a network of code's own never goes by the default one's name", async () => {
  const directory = folder();
  const run = await trainGenerations(recipe, { directory, model: resnet8.create });
  expect(run.recipe.model).toBe("own network");
  await expect(evaluateRun(directory)).rejects.toThrow(/"own network".*`model`/);
  const named = await trainGenerations({ ...recipe, model: "mine" }, { model: resnet8.create });
  expect(named.recipe.model).toBe("mine");
});

test("images of code's own need no name in the recipe", async () => {
  const { data: _, ...rest } = recipe;
  const dataset = {
    ...makeSynthetic({ classes: 5, size: 8, channels: 1, trainCount: 32, testCount: 20 }),
    name: "mine",
  };
  const directory = folder();
  const run = await trainGenerations({ ...rest, model: "resnet8" }, { dataset, directory });
  expect(run.recipe.data.name).toBe("mine");
  await expect(evaluateRun(directory)).rejects.toThrow(/"mine".*`dataset`/);
  expect((await evaluateRun(directory, { dataset })).generations[0]!.test).toEqual(run.generations[0]!.test);
  // @ts-expect-error without images, the recipe must name some
  await expect(trainGenerations({ ...rest })).rejects.toThrow("data: is missing");
});

test("a single class is refused before any work", async () => {
  const { train, test, ...rest } = makeSynthetic({ classes: 5, size: 8, labels: "coarse", trainCount: 32 });
  const epochs: unknown[] = [];
  const training = trainGenerations(recipe, {
    dataset: { ...rest, train, test },
    onProgress: ({ type }) => epochs.push(type),
  });
  await expect(training).rejects.toThrow("the images have 1 class: there is nothing to tell apart");
  expect(epochs).toEqual([]);
});

test("going on removes the checkpoint that a kill left in a finished generation", async () => {
  const directory = folder();
  await trainGenerations({ ...recipe, model: "resnet8" }, { directory });
  const left = join(directory, "generation-0", "checkpoint");
  mkdirSync(left);
  await trainGenerations(recipe, { directory, resume: true });
  expect(existsSync(left)).toBe(false);
});
