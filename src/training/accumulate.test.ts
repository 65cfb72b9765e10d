import { describe, expect, it } from "vitest";
import { crossEntropy } from "../losses/index.js";
import { distillation, mutualLearning, strict } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { Linear, Module, type Parameter } from "../nn/index.js";
import { GradScaler, SGD } from "../optim/index.js";
import { resolveRecipe } from "../recipe/index.js";
import * as torch from "../torch/index.js";
import { type Learner, objectiveOf, type TrainingBatch, trainStep } from "./index.js";
import { Meter } from "./meter.js";

const generator = new torch.Generator(8);
const [images, classes] = [7, 5];
const drawn = (...shape: number[]) =>
  torch.keep(torch.randn(shape, { generator, dtype: "float64" }).contiguous());
const labelsOf = (count: number) =>
  torch.keep(torch.randint(0, classes, [count], { generator, dtype: "int64" }));
const batch: TrainingBatch = { images: drawn(images, 3, 4, 4), labels: labelsOf(images) };
const mix = { otherLabels: labelsOf(images), weight: torch.keep(torch.tensor(0.3, { dtype: "float64" })) };

/** A network without batch norm, which notes how many images it was given at a time. */
class Plain extends Module {
  readonly fc: Linear;
  #counts: number[];
  constructor(seed: number, counts: number[] = []) {
    super();
    this.fc = new Linear(48, classes, { generator: new torch.Generator(seed) });
    this.#counts = counts;
  }
  override forward(x: torch.Tensor): torch.Tensor {
    if (this.training) this.#counts.push(x.shape[0]!);
    return this.fc.forward(x.reshape([x.shape[0]!, 48]).tanh());
  }
}

const plain = (seed: number, counts?: number[]) => new Plain(seed, counts).to({ dtype: "float64" });
const optimizerOf = (model: Module) => new SGD(model.parameters(), { learningRate: 0.5, momentum: 0.9 });
const valuesOf = (model: Module) =>
  model.parameters().flatMap((parameter: Parameter) => Array.from(parameter.toTypedArray(), Number));

/** Takes three steps, in so many parts each; gives the weights and what the meter reads. */
function trained(
  accumulate: number | undefined,
  change: Partial<Learner> = {},
  more: Partial<TrainingBatch> = {},
) {
  return torch.scope(() => {
    const counts: number[] = [];
    const model = plain(1, counts);
    const learner: Learner = {
      model,
      optimizer: optimizerOf(model),
      objective: objectiveOf(
        distillation,
        { hardWeight: 0.6, softWeight: 0.4, temperature: 2 },
        { teachers: [plain(2).eval()] },
      ),
      accumulate,
      ...change,
    };
    using meter = new Meter();
    for (let step = 0; step < 3; step++) trainStep(learner, { ...batch, ...more }, meter);
    const { loss, terms, top1, images } = meter.read();
    const networks = [model, ...(learner.peers ?? []).map((peer) => peer.model)];
    return { numbers: [...networks.flatMap(valuesOf), loss, top1, images, ...Object.values(terms)], counts };
  });
}

const withPeer = (): Partial<Learner> => {
  const model = plain(3);
  return {
    objective: objectiveOf(mutualLearning, { softWeight: 1 }),
    peers: [{ model, optimizer: optimizerOf(model) }],
  };
};

describe("without batch norm, a batch in parts trains as the whole batch does", () => {
  it.each<[string, () => Partial<Learner>, Partial<TrainingBatch>]>([
    ["by a teacher", () => ({}), {}],
    ["with clipped gradients", () => ({ clipNorm: 0.1 }), {}],
    ["with a scaled loss", () => ({ scaler: new GradScaler({ initialScale: 8 }), clipNorm: 0.1 }), {}],
    ["of mixed images", () => ({}), { mix }],
    ["beside a peer", withPeer, {}],
  ])("%s", (_, change, more) => {
    const whole = trained(undefined, change(), more);
    for (const parts of [1, 2, 3, 50]) {
      const { numbers } = trained(parts, change(), more);
      expect(numbers).toHaveLength(whole.numbers.length);
      // The same sums in another order: some hundred roundings of numbers below 10 in float64.
      numbers.forEach((value, i) => void expect(Math.abs(value - whole.numbers[i]!)).toBeLessThan(1e-12));
    }
  });

  it("in parts that differ by one image, none of which is alone", () => {
    const sizes = (parts: number) => trained(parts).counts.slice(0, Math.min(parts, 3));
    expect(trained(undefined).counts).toEqual([7, 7, 7]);
    expect(sizes(2)).toEqual([3, 4]);
    expect(sizes(3)).toEqual([2, 2, 3]);
    expect(sizes(50)).toEqual([2, 2, 3]);
    const one = { images: batch.images.narrow(0, 0, 1), labels: batch.labels.narrow(0, 0, 1) };
    expect(trained(4, {}, one).counts).toEqual([1, 1, 1]);
  });
});

it("with batch norm, each part has statistics of its own, and its gradient weighs by its images", () => {
  torch.scope(() => {
    const fresh = () =>
      resnet8
        .create({ classes, channels: 3, generator: new torch.Generator(4) })
        .to({ dtype: "float64", memoryFormat: "channelsLast" })
        .train();
    const [model, expected] = [fresh(), fresh()];
    const [five, labels] = [drawn(5, 3, 8, 8).contiguous("channelsLast"), labelsOf(5)];
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    trainStep(
      { model, optimizer, objective: objectiveOf(strict, {}), accumulate: 2 },
      { images: five, labels },
    );
    const losses = [
      [0, 2],
      [2, 3],
    ].map(([start, length]) => {
      const [x, y] = [five, labels].map((tensor) => tensor.narrow(0, start!, length!));
      return crossEntropy(expected.forward(x!), y!).mul(length! / 5);
    });
    losses[0]!.add(losses[1]!).backward();
    const other = new SGD(expected.parameters(), { learningRate: 0.1 });
    other.step();
    const values = valuesOf(expected);
    expect(values.length).toBeGreaterThan(1000);
    // Hundreds of roundings of numbers below 10.
    const furthest = Math.max(...valuesOf(model).map((value, i) => Math.abs(value - values[i]!)));
    expect(furthest).toBeLessThan(1e-11);
    expect(model.bn1.runningMean.equal(expected.bn1.runningMean)).toBe(true);
    expect(model.bn1.numBatchesTracked.item()).toBe(2);
  });
});

describe("the recipe's key accumulate", () => {
  const recipe = (change: object) => resolveRecipe({ data: "synthetic", batchSize: 16, ...change });

  it("is absent unless it is given, and leaves two images to a part at least", () => {
    expect(recipe({})).not.toHaveProperty("accumulate");
    expect(recipe({ accumulate: 8 }).accumulate).toBe(8);
    expect(recipe({ accumulate: 1, batchSize: 1 }).accumulate).toBe(1);
    expect(() => recipe({ accumulate: 9 })).toThrow(
      "accumulate: 9 parts of a batch of 16 images would hold fewer than two, on which batch norm cannot train: at most 8",
    );
    expect(() => recipe({ accumulate: 0 })).toThrow(
      "accumulate: must be a whole number from 1 to 65536, given 0",
    );
  });
});
