import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import { denseNetBc40x12, resnet8 } from "../models/index.js";
import { BatchNorm2d, Conv2d, Linear, Module, ReLU, Sequential } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { recomputeStatistics } from "./index.js";

const generator = new torch.Generator(3);
type State = Record<string, number[]>;
const fixture: { begin: State; batches: number[][]; end: State } = JSON.parse(
  readFileSync(new URL("./fixtures/statistics.json", import.meta.url), "utf8"),
);

/** A loader that gives these batches. */
const loaderOf = (batches: torch.Tensor[]) =>
  ({
    async *epoch() {
      for (const [step, images] of batches.entries()) yield { step, images, dispose: () => {} };
    },
  }) as unknown as Loader;

it("comes to the statistics of PyTorch's update_bn", async () => {
  const convolution = (from: number, to: number) =>
    new Conv2d(from, to, 3, { padding: 1, bias: false, generator });
  const model = new Sequential(
    convolution(2, 3),
    new BatchNorm2d(3),
    new ReLU(),
    convolution(3, 4),
    new BatchNorm2d(4, { momentum: 0.3 }),
  ).to({ dtype: "float64" });
  const named = model.stateDict();
  const names = Object.keys(named);
  // The names differ by the prefix of the list that a Sequential holds its modules in.
  const theirs = (name: string) => name.replace(/^[a-z]+\./, "");
  torch.scope(() =>
    torch.noGrad(() => {
      for (const [name, tensor] of Object.entries(named))
        tensor.copy_(
          torch.tensor(fixture.begin[theirs(name)]!, { dtype: "float64", shape: [...tensor.shape] }),
        );
    }),
  );
  const batches = fixture.batches.map((values) =>
    torch.tensor(values, { dtype: "float64", shape: [values.length / 32, 2, 4, 4] }),
  );
  await recomputeStatistics(model.train(), loaderOf(batches), { epoch: 0 });
  expect(names).toHaveLength(12);
  for (const name of names) {
    const ours = Array.from(named[name]!.toTypedArray(), Number);
    fixture.end[theirs(name)]!.forEach((value, i) => {
      // Some hundred roundings of numbers below 100.
      expect(Math.abs(ours[i]! - value), name).toBeLessThan(1e-11);
    });
  }
});

const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 40, testCount: 8, seed: 1 });
const loader = () =>
  new Loader(train, {
    ...channelStatistics(train),
    batchSize: 16,
    shuffle: true,
    augment: { crop: 1, flip: true },
  });

describe.each([resnet8, denseNetBc40x12])("$name", (definition) => {
  const fresh = () =>
    definition
      .create({ classes: 4, channels: 3, height: 12, width: 12, generator: new torch.Generator(1) })
      .to({ memoryFormat: "channelsLast" });
  const statisticsOf = (model: ReturnType<typeof fresh>) =>
    [...model.namedBuffers()].map(([name, tensor]) => [name, tensor.tolist()] as const);

  it("has the same bits whatever its statistics were, and its modes and weights are as before", async () => {
    const [one, other] = [fresh(), fresh()];
    torch.scope(() =>
      torch.noGrad(() => {
        for (let i = 0; i < 2; i++) other.train().forward(torch.randn([4, 3, 12, 12], { generator }));
      }),
    );
    one.eval();
    const weights = one.parameters().map((parameter) => parameter.tolist());
    for (const model of [one, other]) await recomputeStatistics(model, loader(), { epoch: 5 });
    expect(statisticsOf(one)).toEqual(statisticsOf(other));
    expect([one.training, other.training]).toEqual([false, true]);
    expect(one.parameters().map((parameter) => parameter.tolist())).toEqual(weights);
    for (const module of one.namedModules().values()) {
      expect(module.training).toBe(false);
      if (module instanceof BatchNorm2d) expect(module.momentum).toBe(0.1);
    }
    const before = statisticsOf(one);
    await recomputeStatistics(one, loader(), { epoch: 6 });
    expect(statisticsOf(one)).not.toEqual(before);
  });
});

it("a network without batch norms is left alone", async () => {
  const untouched = { epoch: () => expect.unreachable() } as unknown as Loader;
  await recomputeStatistics(new Linear(2, 2, { generator }), untouched, { epoch: 0 });
});

it("dropout is off, as when the network answers", async () => {
  class Dropout extends Module {
    override forward(x: torch.Tensor): torch.Tensor {
      return this.training ? x.mul(0) : x;
    }
  }
  const norm = new BatchNorm2d(2);
  const images = torch.keep(torch.full([3, 2, 2, 2], 5));
  await recomputeStatistics(new Sequential(new Dropout(), norm).train(), loaderOf([images]), { epoch: 0 });
  expect(norm.runningMean.tolist()).toEqual([5, 5]);
});
