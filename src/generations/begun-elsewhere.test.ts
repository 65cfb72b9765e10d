/** Tests of generations that begin with the weights of other programs, whole and in a run folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { ensembleProbabilities } from "../analysis/index.js";
import { type Dataset, makeSynthetic } from "../data/index.js";
import { imagenet, readWeightsFile } from "../interop/index.js";
import type { ModelOptions } from "../models/index.js";
import * as nn from "../nn/index.js";
import { loadModel } from "../predict/index.js";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import { decidingRecipe, type ProgressEvent, readWeights, sha256Of, writeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { evaluateRun, Interrupted, trainGenerations } from "./index.js";

const pt = new URL("../interop/fixtures/good/state-dict.pt", import.meta.url).pathname;

/** The network of fixtures/make.py, with zeros around the images. */
class Small extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1 = new nn.BatchNorm2d(4);
  readonly fc: nn.Linear;
  constructor({ channels, classes, generator }: ModelOptions) {
    super();
    this.conv1 = new nn.Conv2d(channels, 4, 3, { padding: 1, bias: false, generator });
    this.fc = new nn.Linear(4, classes, { generator });
  }
  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(this.bn1.forward(this.conv1.forward(x)).relu().mean([2, 3]));
  }
}
const small = (options: ModelOptions) => new Small(options);

const drawn = (classes: number) =>
  makeSynthetic({ classes, size: 8, channels: 3, trainCount: 64, testCount: 20 });

const recipe = {
  data: "drawn",
  model: "small",
  generations: 2,
  epochs: 2,
  batchSize: 16,
  schedule: "cosine",
  threads: 1,
} satisfies RecipeInput;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-elsewhere-"));
  return () => rmSync(root, { recursive: true });
});

const weightsOf = (run: string, generation = 0) =>
  join(root, run, `generation-${generation}`, "weights.safetensors");
const logitsOf = (run: string, generation = 0) =>
  torch.loadSafetensors(join(root, run, `generation-${generation}`, "test-logits.safetensors")).tensors
    .logits!;

/** A set's test images, normalised: float64 [N, C, H, W]. */
function normalised({ test }: Dataset, { mean, std }: { mean: readonly number[]; std: readonly number[] }) {
  const { count, channels, height, width } = test;
  const bytes = torch.tensor(Uint8Array.from(test.images)).to({ dtype: "float64" });
  const column = (values: readonly number[]) =>
    torch.tensor([...values], { dtype: "float64", shape: [channels, 1, 1] });
  return bytes.reshape([count, channels, height, width]).div(255).sub(column(mean)).div(column(std));
}

/** What the file's network says of a set's test images that are normalised so, in float64. */
async function answers(set: Dataset, normalisation: { mean: readonly number[]; std: readonly number[] }) {
  using file = await readWeightsFile(pt);
  const model = small({ classes: 2, channels: 3, generator: new torch.Generator(0) }).to({
    dtype: "float64",
  });
  model.loadStateDict(file.tensors);
  return torch.noGrad(() => model.eval().forward(normalised(set, normalisation)));
}

function expectClose(found: torch.Tensor, expected: torch.Tensor): void {
  const off = found.to({ dtype: "float64" }).sub(expected).abs().amax().item();
  // Three layers of float32, each of sums of fewer than a hundred products.
  expect(off).toBeLessThan(300 * 2 ** -24 * expected.abs().amax().item());
}

describe("pretrained by a file of PyTorch's", () => {
  const patriarch = { method: "pretrained", weights: pt };
  const train = (options: object, name = "run", set = drawn(2)) =>
    trainGenerations(
      { ...recipe, patriarch: { ...patriarch, ...options } },
      { directory: join(root, name), model: small, dataset: set },
    );

  it("sees images by the normalisation that it is given, in the run and after it", async () => {
    const set = drawn(2);
    await train({ normalisation: "imagenet" });
    expectClose(logitsOf("run"), await answers(set, imagenet));
    expect(readWeights(weightsOf("run")).description).toMatchObject(imagenet);
    const own = readWeights(weightsOf("run", 1)).description;
    expect(own.mean).not.toEqual(imagenet.mean);

    expect((await evaluateRun(join(root, "run"), { model: small, dataset: set })).differences).toEqual([]);
    // A line that goes on recalls its teacher from the folder.
    const path = join(root, "run", "recipe.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("generations: 2", "generations: 3"));
    const longer = await trainGenerations(recipe, {
      directory: join(root, "run"),
      model: small,
      dataset: set,
      resume: true,
    });
    expect(longer.generations).toHaveLength(3);
    using model = await loadModel(join(root, "run"), { generations: "0-1", model: small });
    const images = Array.from({ length: 5 }, (_, i) =>
      torch.tensor(set.test.images.slice(i * 192, (i + 1) * 192), {
        shape: [3, 8, 8],
      }),
    );
    const predicted = await model.predict(images);
    const expected = ensembleProbabilities([logitsOf("run"), logitsOf("run", 1)]);
    for (const [i, { scores }] of predicted.entries())
      for (const { index, score } of scores) expect(score).toBeCloseTo(expected[2 * i + index]!, 5);
  });

  it("sees them as this recipe's are normalised by default, and by numbers if asked to", async () => {
    const set = drawn(2);
    await train({}, "default");
    const own = readWeights(weightsOf("default")).description;
    expectClose(logitsOf("default"), await answers(set, own));
    const numbers = { mean: [0.1, 0.2, 0.3], std: [1, 0.5, 0.25] };
    await train({ normalisation: numbers }, "numbers");
    expectClose(logitsOf("numbers"), await answers(set, numbers));
  });

  it("a weights file of Lyceum's says itself how its images are normalised", async () => {
    const set = drawn(2);
    using file = await readWeightsFile(pt);
    const own = join(root, "own.safetensors");
    const { classNames } = set;
    const size = { channels: 3, height: 8, width: 8, ...imagenet };
    writeWeights(own, file.tensors, {
      model: "small",
      generation: 0,
      role: "patriarch",
      classNames,
      ...size,
    });
    await train({ weights: own }, "file");
    expectClose(logitsOf("file"), await answers(set, imagenet));
    await train({ weights: own, normalisation: "images" }, "images");
    const { description } = readWeights(weightsOf("images"));
    expect(description.mean).not.toEqual(imagenet.mean);
    expectClose(logitsOf("images"), await answers(set, description));
  });

  it("keeps the logits of the images' classes, which a list names", async () => {
    const set = drawn(2);
    const list = join(root, "classes.txt");
    writeFileSync(list, [...set.classNames].reverse().join("\n"));
    await train({ classes: list }, "turned");
    await train({}, "plain");
    const columns = torch.tensor(BigInt64Array.of(1n, 0n));
    expectClose(logitsOf("turned"), logitsOf("plain").to({ dtype: "float64" }).indexSelect(1, columns));
    writeFileSync(list, "cat\ndog\nowl");
    await expect(train({ classes: list }, "a")).rejects.toThrow(
      `${list}: does not name ${JSON.stringify(set.classNames[0])}, a class of the images`,
    );
    writeFileSync(list, [...set.classNames, "owl"].join("\n"));
    await expect(train({ classes: list }, "b")).rejects.toThrow(
      `${list}: names 3 classes, but ${pt} tells 2 apart`,
    );
  });

  it.each([
    [
      { normalisation: { mean: [1], std: [1] } },
      `${pt}: its images are normalised by 1 channels, but these images have 3`,
    ],
    [
      { normalisation: { mean: [1, 2], std: [1] } },
      "patriarch.normalisation: must have as many numbers in mean as in std",
    ],
    [{ normalisation: "image" }, "patriarch.normalisation: "],
    [{ classes: "nowhere.txt" }, "patriarch.classes: nowhere.txt: there is no such file"],
    [
      { weights: pt.replace("good/state-dict", "hostile/system-in-tensor") },
      "hostile/system-in-tensor.pt: its pickle, at byte 127: names posix.system",
    ],
  ])("refuses %j", async (options, message) => {
    await expect(train(options)).rejects.toThrow(message);
  });
});

describe("fineTune", () => {
  const begin = (
    options: object,
    more: { directory?: string; classes?: number; signal?: AbortSignal; resume?: boolean } = {},
    changes: Partial<RecipeInput> = {},
  ) => {
    const { classes = 3, ...rest } = more;
    const notes: string[] = [];
    let stepsSeen = 0;
    const onProgress = (event: ProgressEvent) => {
      if (event.type === "note") notes.push(event.message);
      if (event.type === "epoch") stepsSeen++;
    };
    const run = trainGenerations(
      { ...recipe, patriarch: "strict", fineTune: { weights: pt, ...options }, ...changes },
      { ...rest, model: small, dataset: drawn(classes), onProgress },
    );
    return { run, notes, epochs: () => stepsSeen };
  };

  it("begins with the weights but for a classifier of other classes, and says so", async () => {
    const directory = join(root, "run");
    // At this rate nothing moves but by rounding's leave: what is kept is what the training began with.
    const still = { optimizer: { learningRate: 1e-12 }, epochs: 1, generations: 1 };
    const { run, notes } = begin({}, { directory }, still);
    await run;
    expect(notes).toEqual([
      `${pt}: its classifier (fc.weight, fc.bias) is of 2 classes, and left out: the network's begins anew, with 3`,
    ]);
    using file = await readWeightsFile(pt);
    const { tensors } = readWeights(weightsOf("run"));
    expect(tensors["conv1.weight"]!.allclose(file.tensors["conv1.weight"]!, 1e-6, 1e-7)).toBe(true);
    expect(tensors["fc.weight"]!.shape).toEqual([3, 4]);
  });

  it("begins with features alone", async () => {
    using file = await readWeightsFile(pt);
    const { "fc.weight": _weight, "fc.bias": _bias, ...features } = file.tensors;
    const weights = join(root, "features.safetensors");
    torch.saveSafetensors(weights, features);
    const { run, notes } = begin({ weights }, {}, { epochs: 1, generations: 1 });
    await run;
    expect(notes).toEqual([
      `${weights}: its classifier (fc.weight, fc.bias) is missing: the network's begins anew, with 3`,
    ]);
  });

  it("keeps a classifier of as many classes", async () => {
    const directory = join(root, "run");
    const still = { optimizer: { learningRate: 1e-12 }, epochs: 1, generations: 1 };
    const { run, notes } = begin({}, { directory, classes: 2 }, still);
    await run;
    expect(notes).toEqual([]);
    using file = await readWeightsFile(pt);
    const { tensors } = readWeights(weightsOf("run"));
    expect(tensors["fc.weight"]!.allclose(file.tensors["fc.weight"]!, 1e-6, 1e-7)).toBe(true);
  });

  it("moves each part by its own rate", async () => {
    // One step of plain gradient descent moves weights by the rate times the gradient.
    const once = {
      optimizer: { learningRate: 0.01, momentum: 0, weightDecay: 0 },
      epochs: 1,
      generations: 1,
      batchSize: 64,
      schedule: { kind: "multi-step", milestones: [] },
    } satisfies Partial<RecipeInput>;
    using file = await readWeightsFile(pt);
    const moved = async (name: string, options: object) => {
      await begin(options, { directory: join(root, name), classes: 2 }, once).run;
      const { tensors } = readWeights(weightsOf(name));
      const by = (key: string) => tensors[key]!.sub(file.tensors[key]!).to({ dtype: "float64" });
      return { conv: by("conv1.weight"), fc: by("fc.weight") };
    };
    const plain = await moved("plain", { headRate: 1 });
    const rated = await moved("rated", { headRate: 8 });
    const ratio = (a: torch.Tensor, b: torch.Tensor) => a.mul(b).sum().item() / b.mul(b).sum().item();
    expect(ratio(rated.conv, plain.conv)).toBeCloseTo(1, 4);
    expect(ratio(rated.fc, plain.fc)).toBeCloseTo(8, 3);
  });

  it("trains behind its own normalisation, and goes on from a checkpoint to the bit", async () => {
    const options = { normalisation: "imagenet", headRate: 4, decay: 0.5 } as const;
    const whole = join(root, "whole");
    await begin(options, { directory: whole }).run;
    expect(readWeights(weightsOf("whole")).description).toMatchObject(imagenet);
    const controller = new AbortController();
    const directory = join(root, "stopped");
    const stopped = trainGenerations(
      { ...recipe, patriarch: "strict", fineTune: { weights: pt, ...options } },
      {
        directory,
        model: small,
        dataset: drawn(3),
        signal: controller.signal,
        onProgress: ({ type }) => type === "epoch" && controller.abort(),
      },
    );
    await expect(stopped).rejects.toThrow(Interrupted);
    await begin(options, { directory, resume: true }).run;
    for (const generation of [0, 1])
      expect(
        readFileSync(weightsOf("stopped", generation)).equals(readFileSync(weightsOf("whole", generation))),
      ).toBe(true);
    expect((await evaluateRun(directory, { model: small, dataset: drawn(3) })).differences).toEqual([]);
  });

  it("averages, and learns from snapshots, behind its own normalisation", async () => {
    const changes = {
      patriarch: { method: "ps-kd" },
      averageWeights: { decay: 0.9 },
      generations: 1,
      augment: { flip: false },
    } satisfies Partial<RecipeInput>;
    const { generations } = await begin({ normalisation: "imagenet" }, {}, changes).run;
    expect(generations[0]!.epochs).toBe(2);
  });

  it("is part of what decides a run, but for where the file lies", () => {
    const of = (fineTune: object) => sha256Of(decidingRecipe(resolveRecipe({ data: "cifar100", fineTune })));
    const copy = join(root, "copy.pt");
    writeFileSync(copy, readFileSync(pt));
    expect(of({ weights: copy })).toBe(of({ weights: pt }));
    expect(of({ weights: pt, headRate: 3 })).not.toBe(of({ weights: pt }));
    expect(of({ weights: pt })).not.toBe(sha256Of(decidingRecipe(resolveRecipe({ data: "cifar100" }))));
    expect(resolveRecipe({ data: "cifar100" })).not.toHaveProperty("fineTune");
  });

  it.each([
    [{ weights: "nowhere.pt" }, {}, "fineTune.weights: nowhere.pt: there is no such file"],
    [{}, {}, "fineTune: needs weights, the path of a file, or run"],
    [{ weights: pt, decay: 0 }, {}, "fineTune.decay: must be a number above 0"],
    [{ weights: pt, headrate: 3 }, {}, 'fineTune.headrate: unknown key; did you mean "headRate"?'],
    [
      { weights: pt },
      { patriarch: { method: "pretrained", weights: pt } },
      "fineTune: the method of the patriarch names weights of its own: leave one of the two out",
    ],
  ])("refuses %j with %j", (fineTune, changes, message) => {
    expect(() => resolveRecipe({ data: "cifar100", fineTune, ...changes } as RecipeInput)).toThrow(message);
  });

  it("refuses the weights of another network, by what is missing", async () => {
    const { run } = begin({}, {}, { generations: 1 });
    await run;
    const other = trainGenerations(
      { ...recipe, patriarch: "strict", fineTune: { weights: pt }, model: "resnet8" },
      { dataset: drawn(2) },
    );
    await expect(other).rejects.toThrow(`${pt}: the weights do not fit the network; missing: `);
  });
});
