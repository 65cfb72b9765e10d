import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type Metric, type MetricNeed, metrics } from "../analysis/index.js";
import type { RecipeInput } from "../recipe/index.js";
import * as torch from "../torch/index.js";
import { evaluateRun, trainGenerations } from "./index.js";

const recipe: RecipeInput = {
  data: { name: "synthetic", classes: 8, size: 8, channels: 1, trainCount: 64, testCount: 40 },
  model: "resnet8",
  patriarch: { k: 3, primaryScore: 0.8 },
  optimizer: { learningRate: 0.02 },
  generations: 2,
  epochs: 1,
  batchSize: 16,
  schedule: { kind: "cosine" },
};
let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "lyceum-evaluate-")), "run");
});
const file = (generation: number, name: string) => join(directory, `generation-${generation}`, name);
const found = async (options = {}) =>
  (await evaluateRun(directory, options)).differences.map(({ of, what }) => `${of}: ${what}`);

/** Writes a network's weights anew, with the first tensor changed that has the given number of dimensions. */
function changeWeight(path: string, change: (weight: torch.Tensor) => void, dimensions = 4): void {
  torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    change(Object.values(tensors).find(({ shape }) => shape.length === dimensions)!);
    torch.saveSafetensors(path, tensors, metadata);
  });
}

test("strict and tolerant runs of one recipe are evaluated by the same k, whatever the patriarch's", async () => {
  const tolerant = await trainGenerations({ ...recipe, generations: 1 }, { directory });
  const strict = await trainGenerations({ ...recipe, generations: 1, patriarch: "strict" });
  expect([tolerant.k, strict.k]).toEqual([5, 5]);
  expect(JSON.parse(readFileSync(join(directory, "summary.json"), "utf8")).k).toBe(5);
  for (const { generations } of [tolerant, strict]) {
    const { scoreByRank, meanSecondaryScore } = generations[0]!.test;
    expect(meanSecondaryScore).toBe(scoreByRank!.slice(1, 5).reduce((sum, score) => sum + score, 0) / 4);
  }
});

test("each network and ensemble has every metric but those that need what it lacks", async () => {
  const { ensembles, generations } = await trainGenerations(recipe);
  const without = (...lacks: MetricNeed[]) =>
    (metrics as readonly Metric[])
      .filter(({ needs = [] }) => !needs.some((need) => lacks.includes(need)))
      .map(({ name }) => name);
  expect(Object.keys(ensembles["0-1"]!.test)).toEqual(without("teacher"));
  expect(Object.keys(generations[0]!.test)).toEqual(without("teacher", "members"));
  expect(Object.keys(generations[1]!.test)).toEqual(without("members"));
});

test("the same machine comes to the same bits; other kernels to the same up to rounding", async () => {
  await trainGenerations(recipe, { directory });
  const again = await evaluateRun(directory, { ensemble: true });
  expect(again).toMatchObject({ differences: [], logits: { difference: 0, allowed: 0 } });

  const path = join(directory, "recipe.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace(/^kernels: .*$/m, "kernels: libtorch"));
  expect(readFileSync(path, "utf8")).toContain("kernels: libtorch");
  expect(await found({ ensemble: true })).toEqual([]);
  for (const generation of [0, 1]) rmSync(file(generation, "test-logits.safetensors"));
  expect(await found({ ensemble: true })).toEqual([]);
});

test("noise in the last bits of the weights is no difference", async () => {
  await trainGenerations({ ...recipe, generations: 1 }, { directory });
  changeWeight(file(0, "weights.safetensors"), (weight) => void weight.mul_(1 + 2 ** -22));
  const { logits, differences } = await evaluateRun(directory);
  expect(logits!.difference).toBeGreaterThan(0);
  expect(logits!.difference).toBeLessThanOrEqual(logits!.allowed);
  expect(differences).toEqual([]);
  rmSync(file(0, "test-logits.safetensors"));
  expect(await found()).toEqual([]);
});

test("stored logits that the stored numbers are not those of are found", async () => {
  await trainGenerations({ ...recipe, generations: 1 }, { directory });
  const path = file(0, "test-logits.safetensors");
  torch.scope(() => {
    const logits = torch.loadSafetensors(path).tensors.logits!;
    torch.saveSafetensors(path, { logits: logits.mul(1 + 2 ** -20) });
  });
  expect(await found()).toContain("generation 0: nll");
});

test("a changed weight is found, with the stored logits and without them", async () => {
  await trainGenerations({ ...recipe, generations: 1 }, { directory });
  const path = file(0, "weights.safetensors");
  const original = readFileSync(path);
  changeWeight(path, (weight) => void weight.mul_(1.1));
  expect(await found()).toContain("generation 0: logits");
  rmSync(file(0, "test-logits.safetensors"));
  const { differences, logits } = await evaluateRun(directory);
  expect(logits).toBeUndefined();
  expect(differences.map(({ what }) => what)).toContain("nll");
  writeFileSync(path, original);
  expect(await found()).toEqual([]);
});

test("another generation's weights are found, in the ensemble too", async () => {
  await trainGenerations(recipe, { directory });
  copyFileSync(file(0, "weights.safetensors"), file(1, "weights.safetensors"));
  const differences = await found({ ensemble: true });
  expect(differences).toContain("generation 1: logits");
  expect(differences).toContain("ensemble 0-1: nll");
  expect(differences.filter((line) => line.startsWith("generation 0"))).toEqual([]);
});

test("weights that make logits which are no numbers are an error that names the file", async () => {
  await trainGenerations({ ...recipe, generations: 1 }, { directory });
  const path = file(0, "weights.safetensors");
  changeWeight(path, (weight) => void weight.mul_(Number.NaN), 2);
  await expect(evaluateRun(directory)).rejects.toThrow(`${path}: the network's logits`);
});

test("an ensemble that leaves generations out is not compared with the one that has them all", async () => {
  await trainGenerations({ ...recipe, generations: 3 }, { directory });
  const path = join(directory, "summary.json");
  const summary = JSON.parse(readFileSync(path, "utf8"));
  summary.ensembles["0-2"].test.nll += 1;
  writeFileSync(path, JSON.stringify(summary));
  expect(await found({ ensemble: true })).toEqual(["ensemble 0-2: nll"]);
  expect(await found({ ensemble: true, generations: [0, 2] })).toEqual([]);
});

test("stored logits of other images are an error that names the file", async () => {
  await trainGenerations({ ...recipe, generations: 1 }, { directory });
  const path = file(0, "test-logits.safetensors");
  torch.saveSafetensors(path, { logits: torch.tensor([[1, 2, 3]]) });
  await expect(evaluateRun(directory)).rejects.toThrow(
    `${path}: logits of shape [1,3], but the test images call for [40,8]`,
  );
});
