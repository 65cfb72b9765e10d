import { describe, expect, it } from "vitest";
import { BatchNorm2d, foldBatchNorm, type Module, type Sequential } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { fixture, prepared, relativeError, type Samples, samples } from "./fixtures/cases.js";
import { CifarResNet, resnet20 } from "./index.js";

const dtypes = [
  { dtype: "float64", tolerance: 1e-11 },
  { dtype: "float32", tolerance: 1e-4 },
] as const;

function expectClose(ours: Samples, expected: Samples, tolerance: number): void {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(expected).sort());
  const far = Object.entries(expected)
    .map(([name, values]) => ({ name, error: relativeError(ours[name]!, values) }))
    .filter(({ error }) => !(error <= tolerance));
  expect(far).toEqual([]);
}

describe.each(dtypes)("ResNet-8 in $dtype beside PyTorch", ({ dtype, tolerance }) => {
  const expected = fixture[dtype];

  it.each(["evaluation", "training"] as const)("answers the same in %s", (mode) => {
    const { model, images } = prepared(dtype);
    const logits = torch.noGrad(() => model.train(mode === "training").forward(images));
    const ours = Array.from(logits.toTypedArray(), Number);
    expect(relativeError(ours, expected.logits[mode])).toBeLessThanOrEqual(tolerance);
  });

  it.each(["plain", "nesterov"] as const)("takes the same two steps, %s momentum", (kind) => {
    const { model, images, labels } = prepared(dtype);
    const parameters = model.namedParameters();
    const optimizer = new SGD([...parameters.values()], {
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
      nesterov: kind === "nesterov",
    });
    for (const step of expected[kind]) {
      optimizer.zeroGrad();
      const loss = torch.crossEntropyLoss(model.forward(images), labels);
      loss.backward();
      optimizer.step();
      expect(relativeError([loss.item()], [step.loss])).toBeLessThanOrEqual(tolerance);
      const gradients = [...parameters].map(([name, parameter]) => [name, parameter.grad!] as const);
      expectClose(samples(gradients), step.gradients, tolerance);
      expectClose(samples(Object.entries(model.stateDict())), step.state, tolerance);
      const velocities = optimizer.stateDict();
      const named = [...parameters.keys()].map((name, i) => [name, velocities[`velocity.${i}`]!] as const);
      expectClose(samples(named), step.velocities, tolerance);
    }
  });
});

describe("CifarResNet", () => {
  const options = { classes: 5, channels: 3, generator: new torch.Generator(0) };

  it("names its weights as PyTorch does", () => {
    const state = new CifarResNet(8, { ...options, classes: 10 }).stateDict();
    const shapes = Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual(fixture.shapes);
  });

  it.each([[32], [28], [9]])(
    "keeps images of %d x %d channels-last through every block, both ways",
    (size) => {
      const model = resnet20.create(options).to({ memoryFormat: "channelsLast" });
      const between: torch.Tensor[] = [];
      const watched = (x: torch.Tensor) => {
        between.push(x);
        return x.requiresGrad ? x : x.requiresGrad_();
      };
      let x = watched(torch.randn([2, 3, size, size]).contiguous("channelsLast"));
      x = watched(model.bn1.forward(model.conv1.forward(x)).relu());
      for (const stage of [model.layer1, model.layer2, model.layer3] as Sequential[]) {
        for (const block of blocks(stage)) x = watched(block.forward(x));
      }
      const loss = model.fc.forward(model.pool.forward(x)).logsumexp([1]).sum();
      const gradients = torch.grad(loss, between);
      expect(between).toHaveLength(11);
      expect(between.map((tensor) => tensor.isContiguous("channelsLast"))).toEqual(between.map(() => true));
      expect(between.map((tensor) => tensor.isContiguous())).toEqual(between.map(() => false));
      // That of the images is of nobody's use.
      expect(gradients.slice(1).map((g) => g!.isContiguous("channelsLast"))).toEqual(Array(10).fill(true));
      expect(gradients.slice(1).map((g) => g!.isContiguous())).toEqual(Array(10).fill(false));
    },
  );

  it("answers the same in either layout", () => {
    const model = resnet20.create(options).to({ dtype: "float64" }).eval();
    const images = torch.randn([2, 3, 15, 15], { dtype: "float64" });
    const before = model.forward(images).tolist() as number[][];
    model.to({ memoryFormat: "channelsLast" });
    const after = model.forward(images.contiguous("channelsLast")).tolist() as number[][];
    expect(relativeError(after.flat(), before.flat())).toBeLessThan(1e-12);
  });

  it("starts with convolutions of variance 2 / fan-out, whatever comes in", () => {
    const weight = new CifarResNet(8, options).namedParameters().get("layer3.0.conv2.weight")!;
    const values = Array.from(weight.toTypedArray(), Number);
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    // 36,864 draws: the standard error of the ratio is 0.7 %.
    expect(variance / (2 / (64 * 9))).toBeCloseTo(1, 1);
  });

  it("refuses depths that are not 6n + 2", () => {
    expect(() => new CifarResNet(18, options)).toThrow(RangeError);
    expect(() => new CifarResNet(2, options)).toThrow(/6n \+ 2, got 2/);
  });

  it.each(dtypes)("answers the same with batch norm folded, in $dtype", ({ dtype, tolerance }) => {
    const { model, images } = prepared(dtype);
    const before = torch.noGrad(() => model.eval().forward(images).tolist()) as number[][];
    const after = foldBatchNorm(model).forward(images).tolist() as number[][];
    expect(relativeError(after.flat(), before.flat())).toBeLessThan(tolerance / 10);
    const kinds = new Set([...model.namedModules().values()].map((module) => module.constructor));
    expect(kinds.has(BatchNorm2d)).toBe(false);
    expect(model.namedBuffers().size).toBe(0);
  });
});

function blocks(stage: Sequential): Module[] {
  return [...stage.namedModules()].filter(([path]) => /^\d+$/.test(path)).map(([, block]) => block);
}
