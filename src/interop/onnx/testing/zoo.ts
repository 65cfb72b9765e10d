import { expect, it } from "vitest";
import { createModel } from "../../../models/index.js";
import { BatchNorm2d, foldBatchNorm } from "../../../nn/index.js";
import * as torch from "../../../torch/index.js";
import { differenceOf } from "./run.js";

/** Tests that a network of the list, with batch norms that are not the identity, answers by onnxruntime-web as by itself. */
export function answersAsOnnx(name: string, pixels: number): void {
  it(`${name} at ${pixels} x ${pixels}`, async () => {
    const generator = new torch.Generator(2);
    const model = createModel(name, { classes: 10, channels: 3, generator, height: pixels, width: pixels });
    torch.noGrad(() => {
      for (const module of model.namedModules().values()) {
        if (!(module instanceof BatchNorm2d)) continue;
        module.runningMean.normal_(0, 0.1, { generator });
        module.runningVar.uniform_(0.5, 1.5, { generator });
        module.weight.uniform_(0.5, 1.5, { generator });
        module.bias.normal_(0, 0.1, { generator });
      }
    });
    foldBatchNorm(model, { example: torch.zeros([1, 3, pixels, pixels]) });
    const images = torch.randn([3, 3, pixels, pixels], { generator });
    expect(await differenceOf(model, images)).toBeLessThan(1e-4);
    model.dispose();
    images.dispose();
  });
}
