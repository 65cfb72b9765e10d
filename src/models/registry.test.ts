import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { createModel, modelNames, resnet8 } from "./index.js";

const options = { classes: 10, channels: 3, generator: new torch.Generator(0) };

describe("createModel", () => {
  /** Layers as the name says: every convolution and the classifier. */
  it.each(modelNames)("%s has as many layers as its name says", (name) => {
    const names = [...createModel(name, options).namedParameters()];
    const layers = names.filter(([, parameter]) => parameter.shape.length >= 2);
    expect(`resnet${layers.length}`).toBe(name);
  });

  // He et al. (2016), table 6 (CIFAR-10), in millions.
  it.each([
    ["resnet20", 0.27],
    ["resnet32", 0.46],
    ["resnet44", 0.66],
    ["resnet56", 0.85],
    ["resnet110", 1.7],
  ])("%s has the %d million parameters of the paper", (name, millions) => {
    const count = createModel(name, options)
      .parameters()
      .reduce((sum, parameter) => sum + parameter.numel, 0);
    const digits = millions === 1.7 ? 1 : 2;
    expect(Number((count / 1e6).toFixed(digits))).toBe(millions);
  });

  it.each([
    [1, 10],
    [3, 100],
    [4, 2],
  ])("takes %d channels and %d classes", (channels, classes) => {
    const model = createModel("resnet8", { ...options, channels, classes });
    expect(model.forward(torch.zeros([2, channels, 12, 12])).shape).toEqual([2, classes]);
  });

  it("lists the networks when there is none of that name", () => {
    expect(() => createModel("resnet21", options)).toThrow(/"resnet21"; there are resnet8, .*resnet110/);
    expect(() => createModel("toString", options)).toThrow(RangeError);
  });

  it("draws the same weights from the same seed, and others from another", () => {
    const weights = (seed: number) =>
      resnet8({ ...options, generator: new torch.Generator(seed) })
        .parameters()
        .map((parameter) => parameter.tolist());
    expect(weights(3)).toEqual(weights(3));
    expect(weights(3)).not.toEqual(weights(4));
  });
});
