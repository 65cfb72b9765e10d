import { describe, expect, it } from "vitest";
import { Linear, Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { fixture, options } from "./fixtures/cases.js";
import { createModel, defineModel, modelNames, models, resnet8 } from "./index.js";

function count(name: string): number {
  const sizes = createModel(name, options)
    .parameters()
    .map((parameter) => parameter.numel);
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe("models", () => {
  it("are definitions, each of a name of its own, which say how the network is built", () => {
    expect(new Set(modelNames).size).toBe(models.length);
    for (const { kind, name, summary, construction } of models) {
      expect(kind).toBe("model");
      expect(summary, name).toMatch(/^\S.*\.$/);
      for (const said of [
        "ReLU",
        "mean over all pixels",
        "variance 2 / fan-out",
        "eps 1e-5 and momentum 0.1",
      ]) {
        expect(construction, name).toContain(said);
      }
      // The parts that the names of the weights begin with.
      const paths = Object.keys(createModel(name, options).stateDict());
      const parts = new Set(paths.map((path) => path.replace(/^features\./, "").split(".")[0]!));
      for (const part of parts)
        expect(construction.replace("layer1 to layer4", "layer1 layer2 layer3 layer4"), name).toContain(part);
    }
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
  /** Layers as the name says: every convolution and the classifier, those of shortcuts aside. */
  it.each(modelNames)("%s has as many layers as its name says", (name) => {
    const names = [...createModel(name, options).namedParameters()];
    const layers = names.filter(([path, { shape }]) => shape.length >= 2 && !path.includes("downsample"));
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
