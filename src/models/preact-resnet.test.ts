import { describe, expect, it } from "vitest";
import { BatchNorm2d, foldBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { options, preActResNetFixture } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { PreActResNet } from "./index.js";

const small = () =>
  new PreActResNet({ ...options, generator: new torch.Generator(1), blocks: [1, 1, 2, 1], firstChannels: 8 });

describe("PreActResNet", () => {
  behavesAsInPyTorch(preActResNetFixture, small);

  it("begins as PyTorch's layers: all weights uniform within ±1 / sqrt(fan-in)", () => {
    for (const [name, weight] of small().namedParameters()) {
      if (weight.shape.length < 2) continue;
      const bound = 1 / Math.sqrt(weight.numel / weight.shape[0]!);
      const largest = weight.abs().max().item();
      expect(largest, name).toBeLessThanOrEqual(bound);
      expect(largest, name).toBeGreaterThan(0.9 * bound);
    }
  });

  it("folds the stem's norm and those between two convolutions, and keeps the first of each block", () => {
    const modules = [...foldBatchNorm(small()).namedModules().values()];
    expect(modules.filter((module) => module instanceof BatchNorm2d)).toHaveLength(5);
  });
});
