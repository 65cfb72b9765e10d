import { describe, expect, it } from "vitest";
import { BatchNorm2d, Conv2d, foldBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { mobileNetFixture, options } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { createModel, MobileNetV2 } from "./index.js";

const stages = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 3, channels: 24, blocks: 1, stride: 1 },
];

describe("MobileNetV2", () => {
  behavesAsInPyTorch(mobileNetFixture, () => new MobileNetV2({ ...options, stages, dropoutRate: 0 }), {
    // What a block without sum gives is not activated: its last shift goes through the next 1x1 convolution to a batch norm.
    zeroGradients: /^features\.(1\.conv\.2|[234]\.conv\.3)\.bias$/,
  });

  it("begins as torchvision's: depthwise convolutions by all their outputs, the classifier normal", () => {
    const model = createModel("mobilenet-v2", {
      ...options,
      classes: 1000,
      generator: new torch.Generator(1),
    });
    const deviation = (name: string) => Math.sqrt(model.namedParameters().get(name)!.square().mean().item());
    // 8,640 draws: their deviation is known to about 0.8 %.
    expect(deviation("features.17.conv.1.0.weight") / Math.sqrt(2 / (960 * 9))).toBeCloseTo(1, 1);
    expect(deviation("classifier.1.weight") / 0.01).toBeCloseTo(1, 2);
    expect(deviation("classifier.1.bias")).toBe(0);
  });

  it("computes in bfloat16, gradients included", () => {
    const model = new MobileNetV2({ ...options, stages, dropoutRate: 0 }).to({
      memoryFormat: "channelsLast",
    });
    const x = torch.randn([8, 3, 16, 16], { generator: new torch.Generator(1) }).contiguous("channelsLast");
    const norms = (dtype: torch.DType) => {
      for (const parameter of model.parameters()) parameter.grad = undefined;
      model.forward(x.to({ dtype })).square().sum().backward();
      return model.parameters().map(({ grad }) => Math.sqrt(grad!.square().sum().item()));
    };
    const [exact, short] = [norms("float32"), norms("bfloat16")];
    const largest = Math.max(...exact);
    // Roundings to 8 bits, and values that they take past 0 or 6.
    short.forEach((norm, i) => {
      expect(Math.abs(norm - exact[i]!) / largest).toBeLessThan(0.1);
    });
  });

  it("folds all norms", () => {
    const model = foldBatchNorm(new MobileNetV2({ ...options, stages }));
    const modules = [...model.namedModules().values()];
    expect(modules.filter((module) => module instanceof BatchNorm2d)).toEqual([]);
    expect(modules.filter((module) => module instanceof Conv2d)).toHaveLength(1 + 2 + 3 * 3 + 1);
  });

  it("takes the small images of other data sets", () => {
    const model = createModel("mobilenet-v2", options).eval();
    expect(torch.noGrad(() => model.forward(torch.zeros([2, 3, 32, 32]))).shape).toEqual([2, 10]);
  });
});
