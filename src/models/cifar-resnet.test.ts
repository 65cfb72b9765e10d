import { describe, expect, it } from "vitest";
import { BatchNorm2d, foldBatchNorm, type Module, type Sequential } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { fixture, prepared, relativeError, type Samples, samples } from "./fixtures/cases.js";
import { expectAsExactAsItsNumbers } from "./fixtures/conditioning.js";
import { tolerance } from "./fixtures/family.js";
import { CifarResNet, resnet20 } from "./index.js";

function expectClose(ours: Samples, expected: Samples): void {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(expected).sort());
  const far = Object.entries(expected)
    .map(([name, values]) => ({ name, error: relativeError(ours[name]!, values) }))
    .filter(({ error }) => !(error <= tolerance));
  expect(far).toEqual([]);
}

type Kind = "plain" | "nesterov";

/** Steps of SGD on one batch, from the fixture's first weights; what each leaves, by name. */
function* steps(kind: Kind, { model, images, labels }: ReturnType<typeof prepared>, count = 2) {
  const parameters = model.namedParameters();
  const optimizer = new SGD([...parameters.values()], {
    learningRate: 0.1,
    momentum: 0.9,
    weightDecay: 1e-4,
    nesterov: kind === "nesterov",
  });
  for (let step = 0; step < count; step++) {
    optimizer.zeroGrad();
    const loss = torch.crossEntropyLoss(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    const velocities = optimizer.stateDict();
    yield {
      loss,
      gradients: [...parameters].map(([name, parameter]) => [name, parameter.grad!] as const),
      state: Object.entries(model.stateDict()),
      velocities: [...parameters.keys()].map((name, i) => [name, velocities[`velocity.${i}`]!] as const),
    };
  }
}

describe("ResNet-8 in float64 beside PyTorch", () => {
  const expected = fixture.float64;

  it.each(["evaluation", "training"] as const)("answers the same in %s", (mode) => {
    const { model, images } = prepared("float64");
    const logits = torch.noGrad(() => model.train(mode === "training").forward(images));
    const ours = Array.from(logits.toTypedArray(), Number);
    expect(relativeError(ours, expected.logits[mode])).toBeLessThanOrEqual(tolerance);
  });

  it("answers the same with batch norm folded", () => {
    const { model, images } = prepared("float64");
    const logits = foldBatchNorm(model).forward(images);
    const ours = Array.from(logits.toTypedArray(), Number);
    expect(relativeError(ours, expected.logits.evaluation)).toBeLessThanOrEqual(tolerance);
    const kinds = new Set([...model.namedModules().values()].map((module) => module.constructor));
    expect(kinds.has(BatchNorm2d)).toBe(false);
    expect(model.namedBuffers().size).toBe(0);
  });

  it.each(["plain", "nesterov"] as const)("takes the same two steps, %s momentum", (kind) => {
    let i = 0;
    for (const found of steps(kind, prepared("float64"))) {
      const step = expected[kind][i++]!;
      expect(relativeError([found.loss.item()], [step.loss])).toBeLessThanOrEqual(tolerance);
      expectClose(samples(found.gradients), step.gradients);
      expectClose(samples(found.state), step.state);
      expectClose(samples(found.velocities), step.velocities);
    }
    expect(i).toBe(expected[kind].length);
  });
});

describe("ResNet-8 in float32, as exactly as its numbers are", () => {
  const { labels } = prepared("float32");

  it("answers the same in evaluation, training and frozen", () => {
    expectAsExactAsItsNumbers({
      prepare: prepared,
      run: (model, images) =>
        torch.noGrad(() => [
          ["evaluation", model.eval().forward(images)],
          ["training", model.train().forward(images)],
          ["frozen", foldBatchNorm(model).forward(images)],
        ]),
    });
  });

  it.each(["plain", "nesterov"] as const)("takes the same step, %s momentum", (kind) => {
    expectAsExactAsItsNumbers({
      prepare: prepared,
      run(model, images) {
        const [step] = [...steps(kind, { model: model as CifarResNet, images, labels }, 1)];
        const { loss, gradients, state, velocities } = step!;
        const named = (prefix: string, tensors: (readonly [string, torch.Tensor])[]) =>
          tensors.map(([name, tensor]) => [`${prefix} ${name}`, tensor.detach().clone()] as const);
        return [
          ["loss", loss],
          ...named("gradient", gradients),
          ...named("state", state),
          ...named("velocity", velocities),
        ];
      },
    });
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
    expect(relativeError(after.flat(), before.flat())).toBeLessThan(tolerance);
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
});

function blocks(stage: Sequential): Module[] {
  return [...stage.namedModules()].filter(([path]) => /^\d+$/.test(path)).map(([, block]) => block);
}
