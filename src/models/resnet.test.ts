import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { bottleneckFixture, imageResNetFixture, options } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { createModel, ResNet } from "./index.js";

describe("ResNet", () => {
  behavesAsInPyTorch(imageResNetFixture, () => new ResNet({ ...options, blocks: [1, 1, 1, 2] }));

  describe("of bottlenecks", () => {
    const bottleneck = { width: 64 };
    behavesAsInPyTorch(bottleneckFixture, () => new ResNet({ ...options, blocks: [1, 1, 1, 2], bottleneck }));
  });

  // torchvision's documentation of its weights.
  it.each([
    ["resnet18", 11_689_512, 62],
    ["resnet34", 21_797_672, 110],
    ["resnet50", 25_557_032, 161],
    ["resnet101", 44_549_160, 314],
    ["resnet152", 60_192_808, 467],
    ["wide-resnet50-2", 68_883_240, 161],
    ["resnext50-32x4d", 25_028_904, 161],
  ])("%s has torchvision's %d parameters, in %d tensors", (name, expected, tensors) => {
    const parameters = createModel(name, { ...options, classes: 1000 }).parameters();
    expect(parameters.reduce((sum, { numel }) => sum + numel, 0)).toBe(expected);
    expect(parameters).toHaveLength(tensors);
  });

  it("halves the images five times", () => {
    const model = createModel("resnet18", options) as ResNet;
    const x = torch.zeros([1, 3, 64, 64]).contiguous("channelsLast");
    const sizes: number[] = [];
    for (const part of [model.bn1, model.maxpool, model.layer1, model.layer4]) {
      const forward = part.forward.bind(part);
      part.forward = (y: torch.Tensor) => {
        const result = forward(y);
        sizes.push(result.shape[2]!);
        return result;
      };
    }
    torch.noGrad(() => model.eval().forward(x));
    expect(sizes).toEqual([32, 16, 16, 2]);
  });
});
