import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  GlobalAvgPool,
  Identity,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  ReLU6,
  Sequential,
} from "./index.js";

const generator = new torch.Generator(1);

/** 1 … 16 as an image of one channel. */
const image = torch.keep(torch.arange(1, 17, 1, { dtype: "float32" }).reshape([1, 1, 4, 4]));

function load(module: Module, state: Record<string, unknown>): void {
  const tensors = Object.entries(state).map(([name, values]) => [name, torch.tensor(values as number[])]);
  module.loadStateDict(Object.fromEntries(tensors));
}

it("Linear is x times the transposed weight, plus bias", () => {
  const layer = new Linear(2, 3, { generator });
  load(layer, {
    weight: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    bias: [0.5, 0, -1],
  });
  expect(layer.forward(torch.tensor([[1, 10]])).tolist()).toEqual([[21.5, 43, 64]]);
  const bare = new Linear(2, 1, { generator, bias: false });
  load(bare, { weight: [[2, 3]] });
  expect(bare.forward(torch.tensor([[1, 1]])).tolist()).toEqual([[5]]);
});

describe("Conv2d", () => {
  it("sums products over a window, with stride, padding and bias", () => {
    const layer = new Conv2d(1, 1, 3, { stride: 2, padding: 1, generator });
    load(layer, {
      weight: [
        [
          [
            [0, 1, 0],
            [0, 1, 0],
            [0, 0, 10],
          ],
        ],
      ],
      bias: [100],
    });
    // At (0, 0): 0 above, itself 1, ten times 6. At (2, 2): 7 above, itself 11, ten times 16.
    expect(layer.forward(image).tolist()).toEqual([
      [
        [
          [161, 183],
          [254, 278],
        ],
      ],
    ]);
  });

  it("spreads its window by dilation", () => {
    const layer = new Conv2d(1, 1, 2, { dilation: 3, bias: false, generator });
    load(layer, {
      weight: [
        [
          [
            [1, 10],
            [100, 1000],
          ],
        ],
      ],
    });
    expect(layer.forward(image).tolist()).toEqual([[[[1 + 40 + 1300 + 16000]]]]);
  });

  it("keeps groups of channels apart", () => {
    const layer = new Conv2d(2, 2, 1, { groups: 2, bias: false, generator });
    load(layer, { weight: [[[[2]]], [[[3]]]] });
    expect(layer.forward(torch.tensor([[[[1]], [[10]]]])).tolist()).toEqual([[[[2]], [[30]]]]);
    expect(() => new Conv2d(3, 2, 1, { groups: 2, generator })).toThrow("2 groups do not divide 3 and 2");
  });
});

describe("BatchNorm2d", () => {
  // Channel 0 holds 1, 3, 5, 7: mean 4, variance 5, unbiased 20/3.
  const x = torch.keep(torch.tensor([[[[1, 3]]], [[[5, 7]]]]));

  it("normalises by the batch in training, and averages its statistics", () => {
    const layer = new BatchNorm2d(1, { eps: 0, momentum: 0.25 });
    load(layer, {
      weight: [2],
      bias: [1],
      running_mean: [0],
      running_var: [1],
      num_batches_tracked: 0,
    });
    const y = (layer.forward(x).flatten().tolist() as number[]).map((v) => (v - 1) / 2);
    [-3, -1, 1, 3].forEach((v, i) => {
      expect(y[i]).toBeCloseTo(v / Math.sqrt(5), 5);
    });
    expect(layer.runningMean.item()).toBeCloseTo(1, 5);
    expect(layer.runningVar.item()).toBeCloseTo(0.75 + 0.25 * (20 / 3), 5);
    expect(layer.numBatchesTracked.item()).toBe(1);
  });

  it("normalises by the averages in evaluation, and leaves them alone", () => {
    const layer = new BatchNorm2d(1, { eps: 1 }).eval();
    torch.noGrad(() => layer.runningVar.fill_(3));
    torch.noGrad(() => layer.runningMean.fill_(1));
    expect(layer.forward(x).flatten().tolist()).toEqual([0, 1, 2, 3]);
    expect([layer.runningMean, layer.runningVar, layer.numBatchesTracked].map((b) => b.item())).toEqual([
      1, 3, 0,
    ]);
  });

  it("refuses to train on one value a channel, which has no variance", () => {
    const layer = new BatchNorm2d(3);
    const one = torch.ones([1, 3, 1, 1]);
    expect(() => layer.forward(one)).toThrow(
      "batch norm cannot train on one value a channel, got [1, 3, 1, 1]",
    );
    expect(layer.numBatchesTracked.item()).toBe(0);
    expect(layer.eval().forward(one).shape).toEqual([1, 3, 1, 1]);
    expect(layer.train().forward(torch.ones([1, 3, 1, 2])).shape).toEqual([1, 3, 1, 2]);
  });

  it("starts as the identity, up to eps", () => {
    expect(new BatchNorm2d(1).eval().forward(x).flatten().tolist()).toEqual(
      [1, 3, 5, 7].map((v) => expect.closeTo(v, 4)),
    );
  });
});

describe("layers without weights", () => {
  it.each([
    ["Identity", new Identity(), [[[[-1, 2]]]], [[[[-1, 2]]]]],
    ["ReLU", new ReLU(), [[[[-1, 2]]]], [[[[0, 2]]]]],
    ["ReLU6", new ReLU6(), [[[[-1, 2, 7]]]], [[[[0, 2, 6]]]]],
    ["Flatten", new Flatten(), [[[[1, 2]], [[3, 4]]]], [[1, 2, 3, 4]]],
    ["GlobalAvgPool", new GlobalAvgPool(), [[[[1, 2]], [[3, 5]]]], [[1.5, 4]]],
  ] as const)("%s", (_, layer, x, y) => {
    expect(layer.forward(torch.tensor(x)).tolist()).toEqual(y);
    expect(layer.stateDict()).toEqual({});
  });

  it("MaxPool2d takes the largest of each window", () => {
    expect(new MaxPool2d(2).forward(image).tolist()).toEqual([
      [
        [
          [6, 8],
          [14, 16],
        ],
      ],
    ]);
    const overlapping = new MaxPool2d(3, { stride: 2, padding: 1 });
    expect(overlapping.forward(image).tolist()).toEqual([
      [
        [
          [6, 8],
          [14, 16],
        ],
      ],
    ]);
    expect(overlapping.forward(image.neg()).tolist()).toEqual([
      [
        [
          [-1, -2],
          [-5, -6],
        ],
      ],
    ]);
  });

  it("ReLU6 passes no gradient at 0 and 6 and beyond", () => {
    const x = torch.tensor([-1, 0, 0.5, 5.5, 6, 7]).requiresGrad_();
    new ReLU6().forward(x).sum().backward();
    expect(x.grad!.tolist()).toEqual([0, 0, 1, 1, 0, 0]);
    const short = torch.tensor([-1, 0.5, 7], { dtype: "bfloat16" }).requiresGrad_();
    new ReLU6().forward(short).sum().backward();
    expect(short.grad!.to({ dtype: "float32" }).tolist()).toEqual([0, 1, 0]);
  });

  it("AdaptiveAvgPool2d takes means of windows that fill the image, and overlap where they must", () => {
    const pooled = (size: number) => new AdaptiveAvgPool2d(size).forward(image).tolist();
    expect(pooled(4)).toEqual(image.tolist());
    // Rows and columns 0 and 1, 1 and 2, 2 and 3.
    expect(pooled(3)).toEqual([
      [
        [
          [3.5, 4.5, 5.5],
          [7.5, 8.5, 9.5],
          [11.5, 12.5, 13.5],
        ],
      ],
    ]);
    const twice = (values: number[]) => values.flatMap((value) => [value, value]);
    const rows = [0, 4, 8, 12].map((before) => twice([1, 2, 3, 4].map((value) => before + value)));
    expect(pooled(8)).toEqual([[rows.flatMap((row) => [row, row])]]);
  });

  it("AvgPool2d takes their mean", () => {
    expect(new AvgPool2d(2).forward(image).tolist()).toEqual([
      [
        [
          [3.5, 5.5],
          [11.5, 13.5],
        ],
      ],
    ]);
    const padded = new AvgPool2d(2, { stride: 4, padding: 1 });
    expect(padded.forward(image).tolist()).toEqual([
      [
        [
          [0.25, 1],
          [3.25, 4],
        ],
      ],
    ]);
  });
});

describe("Sequential", () => {
  it("applies its modules in their order and names them by it", () => {
    const double = new Linear(1, 1, { generator, bias: false });
    const addThree = new Linear(1, 1, { generator });
    const chain = new Sequential(double, new ReLU(), addThree);
    load(chain, { "0.weight": [[2]], "2.weight": [[1]], "2.bias": [3] });
    expect(chain.forward(torch.tensor([[5], [-5]])).tolist()).toEqual([[13], [3]]);
  });

  it("is the identity when empty", () => {
    expect(new Sequential().forward(image)).toBe(image);
  });

  it("counts beyond nine in order", () => {
    const chain = new Sequential(...Array.from({ length: 12 }, () => new BatchNorm2d(1)));
    expect([...chain.namedModules().keys()].slice(1)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
  });
});
