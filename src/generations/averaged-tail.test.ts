/** The equal mean of the weights after the epochs of the tail, with statistics of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { type ModelOptions, resnet8 } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import type { ProgressEvent } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { Interrupted, trainGenerations } from "./index.js";

const recipe = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 40, testCount: 20, heldOut: 0.2 },
  model: "resnet8",
  patriarch: "strict",
  generations: 1,
  epochs: 4,
  batchSize: 16,
  averageWeights: { from: 0.5 },
  threads: 1,
} satisfies RecipeInput;

let root: string;
/** The weights in training after each epoch, by name. */
const after: Record<string, number[]>[] = [];
const numbers = (tensor: torch.Tensor) => Array.from(tensor.toTypedArray(), Number);
const load = (...path: string[]) => torch.loadSafetensors(join(root, ...path)).tensors;
const weightsOf = (run: string) => readFileSync(join(root, run, "generation-0", "weights.safetensors"));
const validationsOf = (run: string) =>
  readFileSync(join(root, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).validation);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "lyceum-tail-"));
  let trained: Module | undefined;
  const model = (options: ModelOptions) => {
    trained = resnet8.create(options);
    return trained;
  };
  const onProgress = ({ type }: ProgressEvent) => {
    if (type !== "epoch") return;
    const state = Object.entries(trained!.stateDict());
    after.push(Object.fromEntries(state.map(([name, tensor]) => [name, numbers(tensor)])));
  };
  await trainGenerations(recipe, { directory: join(root, "watched"), onProgress, model });
  await trainGenerations(recipe, { directory: join(root, "whole") });
  return () => rmSync(root, { recursive: true });
});

it("is what is kept", () => {
  expect(after).toHaveLength(4);
  torch.scope(() => {
    for (const [name, tensor] of Object.entries(load("whole", "generation-0", "weights.safetensors"))) {
      const mean = after[2]![name]!.map((value, i) => (value + after[3]![name]![i]!) / 2);
      const distance = Math.max(...numbers(tensor).map((value, i) => Math.abs(value - mean[i]!)));
      // Statistics are those of the averaged weights, not averages.
      if (name.includes("running_")) expect(distance, name).toBeGreaterThan(1e-4);
      else if (name.endsWith("num_batches_tracked")) expect(numbers(tensor)).toEqual([2]);
      // Two roundings to float32 of numbers below 4.
      else expect(distance, name).toBeLessThan(1e-6);
    }
  });
});

it("leaves the training and its validation as they are without it", async () => {
  const { averageWeights: _, ...plain } = recipe;
  await trainGenerations(plain, { directory: join(root, "plain") });
  expect(validationsOf("whole")).toEqual(validationsOf("plain"));
  expect(weightsOf("whole").equals(weightsOf("plain"))).toBe(false);
});

it("is the same to the bit where the training was stopped after every step", async () => {
  const directory = join(root, "stopped");
  let sittings = 0;
  for (let stopped = true; stopped; sittings++) {
    const controller = new AbortController();
    const onProgress = ({ type }: ProgressEvent) => {
      if (type === "generation-start") setImmediate(() => controller.abort());
    };
    const options = { directory, resume: "auto", signal: controller.signal, onProgress } as const;
    stopped = await trainGenerations(recipe, options).then(
      () => false,
      (error) => {
        if (!(error instanceof Interrupted)) throw error;
        return true;
      },
    );
  }
  expect(sittings).toBeGreaterThan(4);
  expect(weightsOf("stopped").equals(weightsOf("whole"))).toBe(true);
});

it("begins with the last epoch at the latest", async () => {
  const last = { ...recipe, epochs: 2, averageWeights: { from: 0.99 } };
  const { averageWeights: _, ...plain } = last;
  await trainGenerations(last, { directory: join(root, "last") });
  await trainGenerations(plain, { directory: join(root, "two") });
  torch.scope(() => {
    const [averaged, trained] = ["last", "two"].map((run) =>
      load(run, "generation-0", "weights.safetensors"),
    );
    for (const [name, tensor] of Object.entries(averaged!))
      expect(tensor.equal(trained![name]!), name).toBe(!/running_|num_batches/.test(name));
  });
});

it("is asked for by from, where decay asks for the exponential average", () => {
  const of = (averageWeights: object) => resolveRecipe({ ...recipe, averageWeights }).averageWeights;
  expect(of({ from: 0.75 })).toEqual({ from: 0.75 });
  expect(of({})).toEqual({ decay: 0.999 });
  expect(of({ decay: 0.9 })).toEqual({ decay: 0.9 });
  expect(() => of({ decay: 0.9, from: 0.75 })).toThrow("averageWeights: decay and from are both given");
  expect(() => of({ from: 1 })).toThrow("averageWeights.from: must be a number");
});
