import { describe, expect, it } from "vitest";
import { BatchNorm2d, Conv2d, foldBatchNorm } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { options, wideResNetFixture } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { WideResNet, type WideResNetOptions, wrn16x2 } from "./index.js";

const make = (given: Partial<WideResNetOptions> = {}) =>
  new WideResNet({ ...options, generator: new torch.Generator(5), depth: 10, width: 1, ...given });
const images = () =>
  torch.randn([4, 3, 8, 8], { generator: new torch.Generator(1) }).contiguous("channelsLast");
const numbers = (x: torch.Tensor) => Array.from(x.toTypedArray(), Number);

describe("WideResNet", () => {
  behavesAsInPyTorch(wideResNetFixture, () => wrn16x2.create(options));

  it("begins as the authors' code: convolutions by fan-out, the classifier's bias as zeros", () => {
    const model = wrn16x2.create({ ...options, generator: new torch.Generator(1) });
    const largest = model.block3.layer[1]!.namedParameters().get("conv2.weight")!;
    const deviation = Math.sqrt(largest.square().mean().item());
    // 147,456 draws: their deviation is known to about 0.2 %.
    expect(deviation / Math.sqrt(2 / (9 * 128))).toBeCloseTo(1, 1);
    expect(model.fc.bias!.abs().sum().item()).toBe(0);
    expect(model.fc.weight.abs().max().item()).toBeLessThanOrEqual(1 / Math.sqrt(128));
  });

  it("folds the norms between two convolutions and keeps those that come before a sum's parts", () => {
    const model = foldBatchNorm(wrn16x2.create(options));
    const modules = [...model.namedModules().values()];
    // The first norm of each of the six blocks, and the last one.
    expect(modules.filter((module) => module instanceof BatchNorm2d)).toHaveLength(6 + 1);
    expect(modules.filter((module) => module instanceof Conv2d)).toHaveLength(16);
  });

  it("refuses depths that are not 6n + 4, widths below 1 and dropout rates out of range", () => {
    expect(() => make({ depth: 11 })).toThrow(/6n \+ 4, got 11/);
    expect(() => make({ depth: 4 })).toThrow(RangeError);
    expect(() => make({ width: 0 })).toThrow(/width must be a whole number of 1 or more, got 0/);
    expect(() => make({ dropoutRate: 1 })).toThrow(/dropoutRate must be from 0 to below 1, got 1/);
  });
});

describe("its dropout", () => {
  const withDropout = () => make({ dropoutRate: 0.5 }).to({ memoryFormat: "channelsLast" });
  const answer = (model: WideResNet) => torch.noGrad(() => numbers(model.forward(images())));

  it("is drawn anew for each batch, and not at all in evaluation or by a frozen network", () => {
    const model = withDropout();
    const [first, second] = [answer(model), answer(model)];
    expect(first).not.toEqual(second);
    const evaluated = answer(model.eval());
    expect(answer(model)).toEqual(evaluated);
    const plain = make().to({ memoryFormat: "channelsLast" });
    plain.loadStateDict(model.stateDict());
    expect(answer(plain.eval())).toEqual(evaluated);
    foldBatchNorm(model).training = true;
    expect(answer(model)).toEqual(answer(foldBatchNorm(plain)));
  });

  it("follows from the network's seed", () => {
    expect(answer(withDropout())).toEqual(answer(withDropout()));
    const other = make({ dropoutRate: 0.5, generator: new torch.Generator(6) });
    other.loadStateDict(withDropout().stateDict());
    expect(answer(other.to({ memoryFormat: "channelsLast" }))).not.toEqual(answer(withDropout()));
  });

  it("goes on from stored tensors as it would have without a break", () => {
    const step = (model: WideResNet) => {
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
      optimizer.zeroGrad();
      torch
        .crossEntropyLoss(model.forward(images()), torch.tensor([0, 1, 2, 3], { dtype: "int64" }))
        .backward();
      optimizer.step();
    };
    const unbroken = withDropout();
    step(unbroken);
    const resumed = withDropout();
    resumed.loadStateDict(unbroken.stateDict());
    step(unbroken);
    step(resumed);
    expect(numbers(resumed.fc.weight)).toEqual(numbers(unbroken.fc.weight));
  });
});
