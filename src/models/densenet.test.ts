import { describe, expect, it, onTestFinished } from "vitest";
import { BatchNorm2d, foldBatchNorm, setKernels } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { denseNetFixture, options } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { createModel, DenseNet } from "./index.js";

/** As the class's description says, counted by hand. */
function parametersOf(depth: number, growth: number, classes: number): number {
  const layers = (depth - 4) / 6;
  let width = 2 * growth;
  let count = 27 * width;
  for (const block of [1, 2, 3]) {
    for (let layer = 0; layer < layers; layer++, width += growth) {
      count += 2 * (width + 4 * growth) + 4 * growth * width + 36 * growth ** 2;
    }
    const half = Math.floor(width / 2);
    if (block < 3) {
      count += 2 * width + width * half;
      width = half;
    }
  }
  return count + 2 * width + (width + 1) * classes;
}

const count = (model: DenseNet) => model.parameters().reduce((sum, { numel }) => sum + numel, 0);

describe("DenseNet", () => {
  behavesAsInPyTorch(denseNetFixture, () => new DenseNet({ ...options, depth: 16, growth: 5 }));

  it.each([
    [40, 12, 10, 176_122],
    [100, 12, 10, 769_162],
    [16, 5, 7, parametersOf(16, 5, 7)],
  ])("of depth %d and growth %d has, for %d classes, %d parameters", (depth, growth, classes, expected) => {
    expect(count(new DenseNet({ ...options, depth, growth, classes }))).toBe(expected);
    expect(parametersOf(depth, growth, classes)).toBe(expected);
  });

  it("keeps channels-last through every layer, both ways", () => {
    // One by one: blocks in one operator have an order of their own inside.
    setKernels("exact");
    onTestFinished(() => setKernels("fast"));
    const model = createModel("densenet-bc-40-12", options).to({ memoryFormat: "channelsLast" });
    const between: torch.Tensor[] = [];
    const images = torch.randn([2, 3, 16, 16]).contiguous("channelsLast");
    // What each norm is given: the images so far, and what the bottlenecks make of them.
    for (const module of model.namedModules().values()) {
      if (!(module instanceof BatchNorm2d)) continue;
      const forward = module.forward.bind(module);
      module.forward = (x, after) => {
        between.push(torch.keep(x));
        return forward(x, after);
      };
    }
    const gradients = torch.grad(model.forward(images).sum(), between);
    expect(between).toHaveLength(39);
    expect(between.filter((x) => !x.isContiguous("channelsLast"))).toEqual([]);
    expect(gradients.filter((x) => !x!.isContiguous("channelsLast"))).toEqual([]);
  });

  it("folds the norms that follow a convolution and keeps those that come before one", () => {
    const model = foldBatchNorm(createModel("densenet-bc-40-12", options));
    const norms = [...model.namedModules().values()].filter((module) => module instanceof BatchNorm2d);
    expect(norms).toHaveLength(18 + 2 + 1);
  });

  it("refuses depths that are not 6n + 4 and growths below 1", () => {
    expect(() => new DenseNet({ ...options, depth: 41, growth: 12 })).toThrow(/6n \+ 4, got 41/);
    expect(() => new DenseNet({ ...options, depth: 4, growth: 12 })).toThrow(RangeError);
    expect(() => new DenseNet({ ...options, depth: 40, growth: 0 })).toThrow(
      /growth must be 1 or more, got 0/,
    );
  });
});
