import { describe, expect, it } from "vitest";
import { Linear, Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { fixture, options } from "./fixtures/cases.js";
import { createModel, defineModel, modelNames, models, resnet8 } from "./index.js";

const known = new Map<string, { paths: string[]; shapes: Map<string, readonly number[]> }>();

/** The names of a network's tensors, and the shapes of those that are trained. Each network is made once: some are large. */
function layoutOf(name: string) {
  const found = known.get(name);
  if (found) return found;
  const model = createModel(name, options);
  const shapes = new Map([...model.namedParameters()].map(([path, { shape }]) => [path, shape] as const));
  const made = { paths: Object.keys(model.stateDict()), shapes };
  model.dispose();
  known.set(name, made);
  return made;
}

function count(name: string): number {
  const sizes = [...layoutOf(name).shapes.values()].map((shape) => shape.reduce((size, n) => size * n, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe("models", () => {
  it("are definitions, each of a name of its own, which say how the network is built", () => {
    expect(new Set(modelNames).size).toBe(models.length);
    for (const { kind, name, summary, construction } of models) {
      expect(kind).toBe("model");
      expect(summary, name).toMatch(/^\S.*\.$/);
      const { paths } = layoutOf(name);
      const hasNorms = paths.some((path) => path.endsWith("running_mean"));
      expect(construction, name).toContain("ReLU");
      expect(construction, name).toContain(hasNorms ? "eps 1e-5 and momentum 0.1" : "No batch norm.");
      expect(construction, name).toMatch(/mean over all pixels|adaptive pooling/);
      expect(construction, name).toMatch(/variance 2 \/ fan-(out|in)|uniform within ±1 \/ sqrt\(fan-in\)/);
      // The parts that the names of the weights begin with.
      const parts = new Set(paths.map((path) => path.replace(/^features\.(?!\d)/, "").split(".")[0]!));
      for (const part of parts)
        expect(construction.replace("layer1 to layer4", "layer1 layer2 layer3 layer4"), name).toContain(part);
    }
  });

  it("have the same layers for images of any size", () => {
    const shapesOf = (name: string, image: { height?: number; width?: number }) => {
      const model = createModel(name, { ...options, ...image });
      const shapes = [...model.namedParameters()].map(([path, { shape }]) => [path, ...shape].join(" "));
      model.dispose();
      return shapes;
    };
    // Small members of each family will do.
    for (const name of [
      "resnet8",
      "wrn-16-2",
      "preact-resnet18",
      "densenet-bc-40-12",
      "resnet18",
      "mobilenet-v2",
    ])
      expect(shapesOf(name, { height: 40, width: 48 }), name).toEqual(shapesOf(name, {}));
  });

  it("may be a user's own", () => {
    class Tiny extends Module {
      readonly fc: Linear;
      constructor(classes: number) {
        super();
        this.fc = new Linear(1, classes, options);
      }
      override forward(x: torch.Tensor): torch.Tensor {
        return this.fc.forward(x.mean([1, 2, 3]).unsqueeze(1));
      }
    }
    const tiny = defineModel({
      name: "tiny",
      summary: "The mean of an image, weighed.",
      construction: "fc of the mean.",
      create: ({ classes }) => new Tiny(classes),
    });
    expect(tiny.kind).toBe("model");
    expect(tiny.create({ ...options, classes: 3 }).fc.weight.shape).toEqual([3, 1]);
  });
});

describe("createModel", () => {
  /**
   * Layers as the name says: every convolution and the classifier, those of shortcuts aside. Wide ResNets count the
   * convolutions of their three shortcuts, and no classifier. The names of AlexNet and MobileNetV2 say no depth.
   */
  const named = modelNames.filter((name) => !/^(alexnet|mobilenet-v2)$/.test(name));
  it.each(named)("%s has as many layers as its name says", (name) => {
    const isCounted = name.startsWith("wrn")
      ? (path: string) => path !== "fc.weight"
      : (path: string) => !/downsample|shortcut/.test(path);
    const layers = [...layoutOf(name).shapes].filter(([path, { length }]) => length >= 2 && isCounted(path));
    expect(String(layers.length)).toBe(/\d+/.exec(name)![0]);
  });

  // He et al. (2016), table 6 (CIFAR-10), in millions.
  it.each([
    ["resnet20", 0.27],
    ["resnet32", 0.46],
    ["resnet44", 0.66],
    ["resnet56", 0.85],
    ["resnet110", 1.7],
  ])("%s has the %d million parameters of the paper", (name, millions) => {
    const digits = millions === 1.7 ? 1 : 2;
    expect(Number((count(name) / 1e6).toFixed(digits))).toBe(millions);
  });

  // Zagoruyko and Komodakis (2016), tables 4 and 5; Huang et al. (2017), table 2. PS-KD's network has 11.17 million, counted
  // in PyTorch.
  it.each([
    ["wrn-40-2", 2.2],
    ["wrn-28-10", 36.5],
    ["densenet-bc-100-12", 0.8],
    ["densenet-bc-190-40", 25.6],
    ["preact-resnet18", 11.2],
  ])("%s has %d million parameters", (name, millions) => {
    expect(Number((count(name) / 1e6).toFixed(1))).toBe(millions);
  });

  it("has the very sizes that the networks have in PyTorch", () => {
    expect(Object.fromEntries(modelNames.map((name) => [name, count(name)]))).toEqual(fixture.parameters);
  });

  it.each([
    [1, 10, [28, 28]],
    [3, 100, [32, 32]],
    [4, 2, [7, 13]],
  ])("takes %d channels, %d classes and images of %j", (channels, classes, size) => {
    const model = createModel("resnet8", { ...options, channels, classes });
    expect(model.forward(torch.zeros([2, channels, ...size])).shape).toEqual([2, classes]);
  });

  it("lists the networks when there is none of that name", () => {
    expect(() => createModel("resnet21", options)).toThrow(/"resnet21"; there are resnet8, .*resnet110/);
    expect(() => createModel("toString", options)).toThrow(RangeError);
  });

  it("draws the same weights from the same seed, and others from another", () => {
    const weights = (seed: number) =>
      resnet8
        .create({ ...options, generator: new torch.Generator(seed) })
        .parameters()
        .map((parameter) => parameter.tolist());
    expect(weights(3)).toEqual(weights(3));
    expect(weights(3)).not.toEqual(weights(4));
  });
});
