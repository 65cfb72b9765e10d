import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { type ModelOptions, resnet8 } from "../models/index.js";
import { BatchNorm2d, Conv2d, Linear, Module } from "../nn/index.js";
import type { RecipeInput } from "../recipe/index.js";
import type { Tensor } from "../torch/index.js";
import { evaluateRun, Interrupted, trainGenerations } from "./index.js";

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
  // @ts-expect-error the recipe must name images where none are given
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

test("seconds count what every sitting spent, its evaluations too", async () => {
  const directory = folder();
  const controller = new AbortController();
  const slow = 0.4;
  const input: RecipeInput = {
    ...recipe,
    data: {
      name: "synthetic",
      classes: 5,
      size: 8,
      channels: 1,
      trainCount: 64,
      testCount: 20,
      heldOut: 0.25,
    },
    epochs: 2,
  };
  const stopped = trainGenerations(input, {
    directory,
    signal: controller.signal,
    // Validation is made to take some time, which no other part of the training takes.
    model: (options) => {
      const network = resnet8.create(options);
      const forward = network.forward.bind(network);
      network.forward = (x) => {
        if (!network.training) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * slow);
        return forward(x);
      };
      return network;
    },
    onProgress: ({ type }) => type === "epoch" && controller.abort(),
  });
  await expect(stopped).rejects.toBeInstanceOf(Interrupted);
  const run = await trainGenerations(input, { directory, resume: true, model: resnet8.create });
  const training = run.generations.reduce((sum, { trainSeconds }) => sum + trainSeconds, 0);
  expect(run.seconds - training).toBeGreaterThan(slow);
});

test("a batch of one image never comes: 33 images in batches of 16 are two steps", async () => {
  const epochs: number[] = [];
  await trainGenerations(
    {
      data: { name: "synthetic", classes: 5, size: 32, trainCount: 33, testCount: 20 },
      model: "resnet18",
      generations: 1,
      epochs: 2,
      batchSize: 16,
    },
    { onProgress: (event) => event.type === "epoch" && epochs.push(event.record.epoch) },
  );
  expect(epochs).toEqual([1, 2]);
});

test("averaged weights are what is evaluated and saved, and a resumed average goes on to the bit", async () => {
  const input = { ...recipe, model: "resnet8", epochs: 2, averageWeights: { decay: 0.9 }, clipNorm: 1 };
  const [whole, stopped] = [folder(), folder()];
  const run = await trainGenerations(input, { directory: whole });
  const controller = new AbortController();
  const first = trainGenerations(input, {
    directory: stopped,
    signal: controller.signal,
    onProgress: ({ type }) => type === "epoch" && controller.abort(),
  });
  await expect(first).rejects.toBeInstanceOf(Interrupted);
  const resumed = await trainGenerations(input, { directory: stopped, resume: true });
  expect(resumed.generations[0]!.test).toEqual(run.generations[0]!.test);
  const weights = (directory: string) => readFileSync(join(directory, "generation-0", "weights.safetensors"));
  expect(weights(stopped).equals(weights(whole))).toBe(true);
  const { differences } = await evaluateRun(whole);
  expect(differences).toEqual([]);
  const plain = folder();
  await trainGenerations({ ...recipe, model: "resnet8", epochs: 2, clipNorm: 1 }, { directory: plain });
  expect(weights(plain).equals(weights(whole))).toBe(false);
});

test("a pair of convolution and batch norm that is none is found before the training", async () => {
  class Wrong extends Module {
    readonly conv: Conv2d;
    readonly norm = new BatchNorm2d(4);
    readonly fc: Linear;

    constructor({ channels, classes, generator }: ModelOptions) {
      super();
      this.conv = new Conv2d(channels, 4, 3, { generator });
      this.fc = new Linear(4, classes, { generator });
    }

    override batchNormPairs() {
      return [["conv", "norm"]] as const;
    }

    override forward(x: Tensor): Tensor {
      return this.fc.forward(this.norm.forward(this.conv.forward(x).relu()).mean([2, 3]));
    }
  }
  const events: string[] = [];
  const training = trainGenerations(recipe, {
    model: (options) => new Wrong(options),
    onProgress: ({ type }) => events.push(type),
  });
  await expect(training).rejects.toThrow(
    /batchNormPairs names \["conv", "norm"\], but .*take it out of the pairs/,
  );
  expect(events).not.toContain("step");
  expect(events).not.toContain("epoch");
});

test("batches of one image are tried before the first step, and leave no trace where they can be trained on", async () => {
  const data = { name: "synthetic", classes: 5, size: 32, trainCount: 16, testCount: 20 };
  const input = { data, model: "resnet18", generations: 1, epochs: 1, batchSize: 1 };
  const events: string[] = [];
  const training = trainGenerations(input, { onProgress: ({ type }) => events.push(type) });
  await expect(training).rejects.toThrow(
    /a batch of one image cannot be trained on \(batch norm .*raise batchSize/,
  );
  expect(events).not.toContain("step");
  // ResNet-8 has 8 x 8 pixels left where ResNet-18 has one.
  const run = await trainGenerations({ ...input, model: "resnet8", data: { ...data, trainCount: 8 } });
  expect(run.generations).toHaveLength(1);
});
