import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensembleProbabilities } from "../analysis/index.js";
import {
  type Batch,
  channelStatistics,
  type Dataset,
  decodeImage,
  Loader,
  loadDataset,
} from "../data/index.js";
import { trainGenerations } from "../generations/index.js";
import { createModel, type ModelOptions } from "../models/index.js";
import { Conv2d, Flatten, kernels, Linear, Module, setKernels } from "../nn/index.js";
import { pictureOf } from "../report/picture.js";
import { describeEnvironment, RunFolder, readWeights, writeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { ImageError, type LoadedModel, loadModel } from "./index.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-predict-"));
const colour = join(root, "colour");
const grey = join(root, "grey");
const own = join(root, "own");
const data = { name: "synthetic", classes: 5, size: 12, trainCount: 160, testCount: 40 };
const common = { epochs: 1, batchSize: 32, generations: 3 };
let dataset: Dataset;

/** A network of two layers without random weights, so that its scores follow from the image alone. */
class OwnNet extends Module {
  readonly conv1: Conv2d;
  readonly flatten = new Flatten();
  readonly fc: Linear;

  constructor({ channels, classes, generator }: ModelOptions) {
    super();
    this.conv1 = new Conv2d(channels, 4, 3, { stride: 4, generator });
    this.fc = new Linear(36, classes, { generator });
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(this.flatten.forward(this.conv1.forward(x).relu()));
  }
}

const factory = (options: ModelOptions) => new OwnNet(options);

beforeAll(async () => {
  dataset = (await loadDataset(data)) as Dataset;
  const resnet = { ...common, model: "resnet8" };
  await trainGenerations({ ...resnet, data }, { directory: colour });
  await trainGenerations({ ...resnet, data: { ...data, channels: 1 }, generations: 1 }, { directory: grey });
  await trainGenerations({ ...common, data, generations: 1 }, { directory: own, model: factory });
});
afterAll(() => rmSync(root, { recursive: true }));

/** Encodes test image i as a PNG. */
async function pngOf({ test }: Dataset, i: number): Promise<Buffer> {
  return Buffer.from((await pictureOf(test, i)).split(",")[1]!, "base64");
}

async function firstBatch(loader: Loader): Promise<Batch> {
  for await (const batch of loader.epoch(0)) return batch;
  throw new Error("the loader is empty");
}

const all = (scores: { index: number; score: number }[]) =>
  [...scores].sort((a, b) => a.index - b.index).map(({ score }) => score);
const stored = (directory: string, generation: number) => {
  const path = join(directory, `generation-${generation}`, "test-logits.safetensors");
  return torch.loadSafetensors(path).tensors.logits!;
};
const rows = (scores: Float64Array, classes: number) =>
  Array.from({ length: scores.length / classes }, (_, i) => [
    ...scores.subarray(i * classes, (i + 1) * classes),
  ]);

describe("images saved as PNG give what evaluation gave", () => {
  it.each([
    ["colour", () => colour, {}],
    ["grey", () => grey, { channels: 1 as const }],
    ["a network of one's own", () => own, {}],
  ])("%s: to the bit in batches of the same images", async (_, directory, more) => {
    const set = (await loadDataset({ ...data, ...more })) as Dataset;
    const images = await Promise.all(Array.from({ length: 40 }, (_, i) => pngOf(set, i)));
    const last = directory() === colour ? 2 : 0;
    using model = await loadModel(directory(), { model: directory() === own ? factory : undefined });
    const predictions = await model.predict(images);
    const expected = rows(ensembleProbabilities([stored(directory(), last)]), 5);
    expect(predictions.map(({ scores }) => all(scores))).toEqual(expected);
    expect(model.classes).toEqual(set.classNames);
    for (const [i, { label, scores }] of predictions.entries()) {
      const best = Math.max(...expected[i]!);
      expect(scores[0]).toEqual({ class: label, index: expected[i]!.indexOf(best), score: best });
    }
  });

  it("to rounding one by one", async () => {
    using model = await loadModel(colour);
    const { mean, std } = channelStatistics(dataset.train);
    const loader = new Loader(dataset.test, { mean, std, batchSize: 40 });
    // The same network in double precision shows how far rounding moves the logits of evaluation itself.
    const { tensors } = readWeights(new URL(`file://${colour}/generation-2/weights.safetensors`).pathname);
    const precise = createModel("resnet8", { classes: 5, channels: 3, generator: new torch.Generator(0) });
    precise.to({ dtype: "float64" }).loadStateDict(tensors);
    const batch = await firstBatch(loader);
    const evaluated = torch.noGrad(() => model.models[0]!.forward(batch.images));
    const exact = torch.noGrad(() => precise.eval().forward(batch.images.to({ dtype: "float64" })));
    const off = evaluated.to({ dtype: "float64" }).sub(exact).abs().amax().item();
    expect(off).toBeGreaterThan(0);
    const scores = rows(ensembleProbabilities([exact]), 5);
    for (let i = 0; i < 40; i += 7) {
      const found = all((await model.predict(await pngOf(dataset, i))).scores);
      // Batches of another size add up in another order. A score moves at most half as far as two logits move
      // against each other.
      for (const [c, score] of found.entries())
        expect(Math.abs(score - scores[i]![c]!)).toBeLessThan(4 * off);
    }
  });
});

describe("what is loaded", () => {
  it("is the last generation, another, or the mean of several's softmax", async () => {
    const images = await Promise.all([0, 1, 2].map((i) => pngOf(dataset, i)));
    const scoresOf = async (options: Parameters<typeof loadModel>[1]) => {
      using model = await loadModel(colour, options);
      return (await model.predict(images)).map(({ scores }) => all(scores));
    };
    const each = await Promise.all([0, 1, 2].map((generation) => scoresOf({ generation })));
    expect(await scoresOf({})).toEqual(each[2]);
    expect(each[1]).not.toEqual(each[2]);
    const together = await scoresOf({ generations: "0-2" });
    const apart = await scoresOf({ generations: [0, 2] });
    expect(await scoresOf({ generations: "0,2" })).toEqual(apart);
    const weighted = await scoresOf({ generations: "2,0", weights: [3, 1] });
    const ofLogits = await scoresOf({ generations: [0, 2], mean: "logits" });
    for (let i = 0; i < 3; i++) {
      const products = each[0]![i]!.map((score, c) => Math.sqrt(score * each[2]![i]![c]!));
      const total = products.reduce((sum, product) => sum + product, 0);
      for (let c = 0; c < 5; c++) {
        const [a, b, d] = each.map((one) => one[i]![c]!);
        expect(weighted[i]![c]).toBeCloseTo((a! + 3 * d!) / 4, 12);
        expect(ofLogits[i]![c]).toBeCloseTo(products[c]! / total, 12);
        expect(together[i]![c]).toBeCloseTo((a! + b! + d!) / 3, 12);
        expect(apart[i]![c]).toBeCloseTo((a! + d!) / 2, 12);
      }
    }
  });

  it("is a weights file alone, wherever it lies", async () => {
    const path = join(root, "moved.safetensors");
    copyFileSync(join(colour, "generation-1/weights.safetensors"), path);
    const png = await pngOf(dataset, 5);
    using alone = await loadModel(path);
    using inRun = await loadModel(colour, { generation: 1 });
    expect(await alone.predict(png)).toEqual(await inRun.predict(png));
    expect(alone.descriptions[0]).toMatchObject({
      model: "resnet8",
      generation: 1,
      role: "student",
      channels: 3,
      height: 12,
      width: 12,
    });
    await expect(loadModel(path, { generation: 0 })).rejects.toThrow("is one network's weights file");
  });

  it.each([
    [{ generation: 3 }, "no generation 3; finished ones: 0 to 2"],
    [{ generation: -1 }, "no generation -1"],
    [{ generation: 0.5 }, "no generation 0.5"],
    [{ generations: "0-3" }, "no generation 3"],
    [{ generations: "2-0" }, 'generations "2-0": must look like "0-2"'],
    [{ generations: "all" }, 'generations "all": must look like "0-2"'],
    [{ generations: [] }, "generations []: must look like"],
    [{ generations: "0,0" }, 'generations "0,0": must look like "0-2" or "0,2"'],
    [{ generations: "0,2", weights: [1] }, "an ensemble of 2 needs as many weights, got 1"],
    [{ generations: "0,2", weights: [1, -1] }, "a weight must be a number of 0 or more, got -1"],
    [{ generations: "0,2", mean: "median" as never }, 'mean must be "softmax" or "logits", got "median"'],
    [{ generations: [1, 1] }, "generations [1,1]: must look like"],
    [{ generation: 1, generations: [1] }, "generation or generations, not both"],
    [{ device: "gpu" as "cpu" }, 'device must be cpu, cuda or cuda:N, got "gpu"'],
    [{ device: "cuda:7" as const }, torch.cudaAvailable() ? "" : "has no CUDA: leave it out"],
  ])("is refused where there is none: %j", async (options, problem) => {
    await expect(loadModel(colour, options)).rejects.toThrow(problem);
  });

  it("is refused by the path where nothing fits", async () => {
    await expect(loadModel(join(root, "none"))).rejects.toThrow("none: there is no such run or weights file");
    await expect(loadModel(root)).rejects.toThrow("is not a run: it holds no recipe.yaml");
    const text = join(root, "text.safetensors");
    writeFileSync(text, "not weights at all, though it says so");
    await expect(loadModel(text)).rejects.toThrow(text);
    const { recipe } = await RunFolder.open(colour);
    const unfinished = join(root, "unfinished");
    await (await RunFolder.create(unfinished, recipe, await describeEnvironment({ device: "cpu" }))).close();
    await expect(loadModel(unfinished)).rejects.toThrow("unfinished: no generation is finished yet");
  });

  it("needs the function that makes a network of one's own", async () => {
    await expect(loadModel(own)).rejects.toThrow(
      /own\/generation-0\/weights.safetensors: the network "own network" is none of Lyceum's own: give .+ as `model`/,
    );
    await expect(loadModel(colour, { model: factory })).rejects.toThrow(/weights.safetensors: .*missing/);
  });

  it("is refused where members were trained on other images", async () => {
    const { description } = readWeights(join(colour, "generation-0/weights.safetensors"));
    const mixed = join(root, "mixed");
    cpSync(colour, mixed, { recursive: true });
    const path = join(mixed, "generation-1/weights.safetensors");
    const { tensors } = readWeights(path);
    writeWeights(path, tensors, { ...description, height: 13 });
    await expect(loadModel(mixed, { generations: "0-2" })).rejects.toThrow(
      `${path}: its height is not that of ${join(mixed, "generation-0/weights.safetensors")}: they form no ensemble`,
    );
  });

  it("gives each member of an ensemble its images normalised as its own file says", async () => {
    const { description } = readWeights(join(colour, "generation-0/weights.safetensors"));
    const mixed = join(root, "otherwise");
    cpSync(colour, mixed, { recursive: true });
    const path = join(mixed, "generation-1/weights.safetensors");
    const { tensors } = readWeights(path);
    writeWeights(path, tensors, { ...description, mean: [0.2, 0.5, 0.7], std: [0.3, 0.3, 0.1] });
    const png = await pngOf(dataset, 3);
    const scoresOf = async (options: Parameters<typeof loadModel>[1]) => {
      using model = await loadModel(mixed, options);
      return all((await model.predict(png)).scores);
    };
    const [one, other] = [await scoresOf({ generation: 0 }), await scoresOf({ generation: 1 })];
    for (const [i, score] of (await scoresOf({ generations: "0,1" })).entries())
      expect(score).toBeCloseTo((one[i]! + other[i]!) / 2, 5);
  });

  it.each([
    ["a class too many", { classNames: ["a", "b", "c", "d", "e", "f"] }, "fc"],
    ["another network", { model: "densenet-bc-40-12" }, "missing"],
    ["a name that every object has", { model: "constructor" }, 'the network "constructor" is none of'],
    ["one channel", { channels: 1, mean: [0.5], std: [1] }, "conv1.weight"],
  ])("is refused where the description is forged: %s", async (_, changes, problem) => {
    const { tensors, description } = readWeights(join(colour, "generation-0/weights.safetensors"));
    const path = join(root, "forged.safetensors");
    writeWeights(path, tensors, { ...description, ...changes });
    const before = settled().tensors;
    const error = await loadModel(path).catch((error: Error) => error);
    expect((error as Error).message).toContain(`${path}: `);
    expect((error as Error).message).toContain(problem);
    expect(settled().tensors).toBe(before);
  });
});

describe("what is asked", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(colour);
  });
  afterAll(() => model.dispose());

  it("may be paths, bytes and tensors, alone and mixed", async () => {
    const png = await pngOf(dataset, 3);
    const path = join(root, "three.png");
    writeFileSync(path, png);
    const bytes = dataset.test.images.slice(3 * 432, 4 * 432);
    const stored = torch.tensor(bytes, { shape: [3, 12, 12] });
    const { mean, std } = channelStatistics(dataset.train);
    const only = new Loader(dataset.test, { mean, std, batchSize: 1, indices: Int32Array.of(3) });
    const batch = await firstBatch(only);
    const normalised = batch.images.squeeze(0);
    const expected = await model.predict(path, { top: 2 });
    expect(expected.scores).toHaveLength(2);
    for (const image of [png, new Uint8Array(png), stored, normalised])
      expect(await model.predict(image as Uint8Array, { top: 2 })).toEqual(expected);
    const mixed = await model.predict([path, png, stored, normalised], { top: 1 });
    expect(mixed.map(({ label }) => label)).toEqual(Array(4).fill(expected.label));
    expect(await model.predict([path], { top: 2 })).toEqual([expected]);
    expect(await model.predict(stored.unsqueeze(0), { top: 2 })).toEqual([expected]);
    expect(await model.predict([])).toEqual([]);
    expect(await model.predict(torch.zeros([0, 3, 12, 12], { dtype: "uint8" }))).toEqual([]);
  });

  it("may be written over and disposed of at once", async () => {
    const images = torch.tensor(dataset.test.images.slice(0, 2 * 432), { shape: [2, 3, 12, 12] });
    const expected = await model.predict(images);
    const pending = model.predict(images);
    images.zero_();
    images.dispose();
    expect(await pending).toEqual(expected);
  });

  it.each([
    ["a vector", () => torch.zeros([3])],
    ["another size", () => torch.zeros([3, 13, 12])],
    ["grey for colour", () => torch.zeros([2, 1, 12, 12], { dtype: "uint8" })],
  ])("is refused with the shape that fits: %s", async (_, make) => {
    const tensor = make();
    await expect(model.predict(tensor)).rejects.toThrow(
      `[C, H, W] = [3, 12, 12], got [${tensor.shape.join(", ")}]`.slice(-16),
    );
    await expect(model.predict([tensor])).rejects.toThrow(
      /^images\[0\]: a tensor must be \[C, H, W\] = \[3, 12, 12\]/,
    );
  });

  it("is refused where it is no image", async () => {
    const double = torch.zeros([3, 12, 12], { dtype: "float64" });
    await expect(model.predict(double)).rejects.toThrow("must be uint8 (0 to 255) or float32");
    await expect(model.predict([7 as unknown as string])).rejects.toThrow(
      "images[0]: an image is a file's path, a Uint8Array of its bytes, or a tensor",
    );
    await expect(model.predict(join(root, "none.png"))).rejects.toThrow(ImageError);
    await expect(model.predict([await pngOf(dataset, 0), Uint8Array.of(1)])).rejects.toThrow(
      /^images\[1\]: is no image/,
    );
    const nan = torch.full([3, 12, 12], Number.NaN);
    await expect(model.predict(nan)).rejects.toThrow("the tensor: holds NaN or infinite values");
    for (const top of [0, 1.5, -1, Number.NaN])
      await expect(model.predict([], { top })).rejects.toThrow(`top must be 1 or more, got ${top}`);
  });

  it("gives a result each, errors in their places, through more than one batch", async () => {
    const good = await pngOf(dataset, 1);
    const images = Array.from({ length: 150 }, (_, i) => (i % 50 === 7 ? Uint8Array.of(i) : good));
    let asked = 0;
    let most = 0;
    let done = 0;
    function* count() {
      for (const image of images) {
        most = Math.max(most, ++asked - done);
        yield image;
      }
    }
    const wrong: number[] = [];
    for await (const { image, prediction, error } of model.predictEach(count())) {
      expect(image).toBe(images[done]);
      if (error) wrong.push(done);
      else expect(prediction.scores).toHaveLength(5);
      if (error) expect(error.message).toMatch(new RegExp(`^images\\[${done}\\]: is no image`));
      done++;
    }
    expect(done).toBe(150);
    expect(wrong).toEqual([7, 57, 107]);
    // These images make two batches of 64.
    expect(most).toBeLessThanOrEqual(128);
  });

  it("may be left in the middle, and asked from many places at once, without a tensor left behind", async () => {
    const images = await Promise.all(Array.from({ length: 40 }, (_, i) => pngOf(dataset, i)));
    const alone = await model.predict(images);
    const before = settled().tensors;
    for await (const { prediction } of model.predictEach(images)) {
      expect(prediction).toEqual(alone[0]);
      break;
    }
    const together = await Promise.all(Array.from({ length: 12 }, () => model.predict(images)));
    for (const predictions of together) expect(predictions).toEqual(alone);
    await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => model.predict([images[0]!, Uint8Array.of(i)])),
    );
    expect(settled().tensors).toBe(before);
  });
});

it("computes by its own kernels, and leaves the process its own", async () => {
  setKernels("libtorch");
  try {
    using model = await loadModel(colour, { kernels: "exact" });
    const seen = new Set<string>();
    const [network] = model.models;
    const forward = network!.forward.bind(network);
    network!.forward = (x) => {
      seen.add(kernels());
      return forward(x);
    };
    await model.predict(await pngOf(dataset, 0));
    expect([...seen]).toEqual(["exact"]);
    expect(kernels()).toBe("libtorch");
  } finally {
    setKernels("fast");
  }
});

it("sets the process's threads where asked to", async () => {
  const before = torch.getNumThreads();
  try {
    using _ = await loadModel(colour, { threads: before + 1 });
    expect(torch.getNumThreads()).toBe(before + 1);
  } finally {
    torch.setNumThreads(before);
  }
});

it("frees its networks, once, and predicts no more", async () => {
  const before = settled().tensors;
  const model = await loadModel(colour, { generations: "0-2" });
  expect(model.models).toHaveLength(3);
  const png = await pngOf(dataset, 0);
  const pending = model.predict(png);
  model.dispose();
  model[Symbol.dispose]();
  await expect(pending).rejects.toThrow("this model was disposed of");
  expect(settled().tensors).toBe(before);
});

it("brings an image of another size to the network's own", async () => {
  using model = await loadModel(colour);
  const noise = Uint8Array.from({ length: 3 * 90 * 120 }, (_, i) => (i * i * 7919) % 251);
  const jpeg = await sharp(noise, { raw: { width: 120, height: 90, channels: 3 } })
    .jpeg()
    .toBuffer();
  expect(model.imageSize).toEqual({ channels: 3, height: 12, width: 12 });
  const planes = torch.tensor(await decodeImage(jpeg, model.imageSize), { shape: [3, 12, 12] });
  expect(await model.predict(jpeg)).toEqual(await model.predict(planes));
});

it("says that a network gives NaN, of that image alone", async () => {
  class Masked extends OwnNet {
    override forward(x: torch.Tensor): torch.Tensor {
      const logits = super.forward(x);
      return logits
        .div(
          x
            .amax([1, 2, 3])
            .ne(x.amin([1, 2, 3]))
            .to({ dtype: "float32" })
            .unsqueeze(1),
        )
        .sub(0);
    }
  }
  using model = await loadModel(own, { model: (options) => new Masked(options) });
  const flat = torch.zeros([3, 12, 12]);
  const png = await pngOf(dataset, 0);
  await expect(model.predict([png, flat])).rejects.toThrow(
    "images[1]: the network's logits are NaN or infinite",
  );
  const errors: unknown[] = [];
  for await (const { error } of model.predictEach([png, flat, png])) errors.push(error?.name);
  expect(errors).toEqual([undefined, "RangeError", undefined]);
});
