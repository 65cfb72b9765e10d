import { describe, expect, it } from "vitest";
import { BatchNorm2d, Conv2d, foldBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { options } from "./fixtures/cases.js";
import { Vgg } from "./index.js";

describe("Vgg", () => {
  it("begins as torchvision's, takes images of 32 x 32 pixels, refuses smaller ones, and folds all norms", () => {
    torch.scope(() => {
      const model = new Vgg({ ...options, generator: new torch.Generator(1) }).eval();
      const parameters = model.namedParameters();
      const deviation = (name: string) => Math.sqrt(parameters.get(name)!.square().mean().item());
      // 2.4 and 16.8 million draws: their deviations are known to 0.05 and 0.02 %.
      expect(deviation("features.40.weight") / Math.sqrt(2 / (512 * 9))).toBeCloseTo(1, 2);
      expect(deviation("classifier.3.weight") / 0.01).toBeCloseTo(1, 2);
      for (const bias of ["features.40.bias", "classifier.3.bias"]) expect(deviation(bias)).toBe(0);

      const forward = (size: number) => {
        const x = torch.randn([2, 3, size, size], { generator: new torch.Generator(2) });
        return torch.noGrad(() => model.forward(x.contiguous("channelsLast")));
      };
      expect(() => forward(31)).toThrow(/VGG needs images of 32 x 32 pixels or more, got 31 x 31/);
      const before = forward(32);
      expect(before.shape).toEqual([2, 10]);
      foldBatchNorm(model);
      const modules = [...model.namedModules().values()];
      expect(modules.filter((module) => module instanceof BatchNorm2d)).toEqual([]);
      expect(modules.filter((module) => module instanceof Conv2d)).toHaveLength(13);
      expect(forward(32).allclose(before, 1e-4, 1e-5 * before.abs().max().item())).toBe(true);
      model.dispose();
    });
  });
});
