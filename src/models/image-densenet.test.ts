import { describe, expect, it } from "vitest";
import { BatchNorm2d, foldBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { imageDenseNetFixture, options } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { createModel, ImageDenseNet } from "./index.js";

const make = () => new ImageDenseNet({ ...options, layers: [2, 1, 1, 2], growth: 8 });

describe("ImageDenseNet", () => {
  behavesAsInPyTorch(imageDenseNetFixture, make);

  it("begins as torchvision's: convolutions by fan-in, the classifier's bias as zeros", () => {
    const model = createModel("densenet121", {
      ...options,
      generator: new torch.Generator(1),
    }) as ImageDenseNet;
    const largest = model.namedParameters().get("features.transition3.conv.weight")!;
    expect(largest.shape).toEqual([512, 1024, 1, 1]);
    // 524,288 draws: their deviation is known to about 0.1 %.
    expect(Math.sqrt(largest.square().mean().item()) / Math.sqrt(2 / 1024)).toBeCloseTo(1, 2);
    expect(model.classifier.bias!.abs().sum().item()).toBe(0);
    expect(model.classifier.weight.abs().max().item()).toBeLessThanOrEqual(1 / 32);
  });

  it("folds the first norm and those that follow a convolution, and keeps those that come before one", () => {
    const model = foldBatchNorm(make());
    const norms = [...model.namedModules().values()].filter((module) => module instanceof BatchNorm2d);
    // The first of each of the six layers, the transitions', and the last.
    expect(norms).toHaveLength(6 + 3 + 1);
  });

  it("takes images of 29 x 29 pixels and refuses smaller ones", () => {
    const forward = (size: number) => torch.noGrad(() => make().forward(torch.zeros([2, 3, size, size])));
    expect(forward(29).shape).toEqual([2, 10]);
    expect(() => forward(28)).toThrow(/29 x 29 pixels or more, got 28 x 28/);
  });
});
