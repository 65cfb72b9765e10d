/** That the built-in networks are computed by the operators that make them fast, where the build and processor have them. */
import { describe, expect, it } from "vitest";
import {
  hasAvx512,
  hasDenseOperators,
  hasOneDnn,
  hasOwnKernels,
  hasResidualOperators,
} from "../nn/cpu/build.js";
import { foldBatchNorm, setKernels } from "../nn/index.js";
import { countOperators } from "../nn/testing/count-operators.js";
import * as torch from "../torch/index.js";
import { createModel } from "./index.js";

const generator = new torch.Generator(1);
const images = (size: number) => torch.randn([2, 3, size, size], { generator }).contiguous("channelsLast");

/** Lyceum's operators in one forward, in training and frozen, with gradients where that matters. */
function operatorsOf(name: string, size: number): Record<"training" | "frozen", Record<string, number>> {
  return torch.scope(() => {
    const model = createModel(name, { classes: 10, channels: 3, generator }).to({
      memoryFormat: "channelsLast",
    });
    const x = images(size);
    const training = countOperators(() => void model.train().forward(x));
    foldBatchNorm(model);
    const frozen = countOperators(() => void torch.noGrad(() => model.forward(x)));
    return { training, frozen };
  });
}

describe.skipIf(!hasOwnKernels() || !hasResidualOperators())("with fast kernels (needs AVX2)", () => {
  it.each(["resnet8", "resnet20"])("%s is its first layer and one operator a stage", (name) => {
    const { training, frozen } = operatorsOf(name, 32);
    expect(training).toEqual({ conv2d: 1, batch_norm: 1, residual_stage: 3 });
    // The first layer and its stage are one; the blocks that halve the images go layer by layer.
    const halving = { conv2d_relu: 2, option_a_shortcut: 2, add_conv2d_: 2 };
    const rest = name === "resnet8" ? {} : { frozen_blocks_: 2 };
    expect(frozen).toEqual({ frozen_stage: 1, ...halving, ...rest });
  });

  it("resnet18 is its first layer and one operator a stage, with the shortcuts' own", () => {
    const { training, frozen } = operatorsOf("resnet18", 64);
    expect(training).toEqual({ conv2d: 1 + 3, batch_norm: 1 + 3, residual_stage: 4 });
    expect(frozen).toEqual({ conv2d_relu: 1 + 3, conv2d: 3, add_conv2d_: 3, frozen_blocks_: 4 });
  });

  it.skipIf(!hasAvx512() || !hasOneDnn())(
    "resnet50 is its first layer and one operator a stage (needs AVX-512, oneDNN)",
    () => {
      const { training, frozen } = operatorsOf("resnet50", 64);
      expect(training).toEqual({ conv2d: 1 + 4, batch_norm: 1 + 4, bottleneck_stage: 4 });
      expect(frozen).toEqual({ conv2d_relu: 33, conv2d: 4, add_conv2d_: 16 });
    },
  );

  it("resnet20 of exact kernels takes the same operators where there is AVX-512", () => {
    setKernels("exact");
    try {
      const { training, frozen } = operatorsOf("resnet20", 32);
      const isBlocked = hasAvx512();
      expect(training.residual_stage ?? 0).toBe(isBlocked ? 3 : 0);
      expect(frozen.frozen_blocks_ ?? 0).toBe(isBlocked ? 2 : 0);
    } finally {
      setKernels("fast");
    }
  });
});

it.skipIf(!hasDenseOperators())("densenet is one operator a block, and convolutions (needs AVX2)", () => {
  const { training, frozen } = operatorsOf("densenet-bc-40-12", 32);
  expect(training).toEqual({ conv2d: 3, dense_block: 3 });
  expect(frozen).toEqual({ conv2d: 3, frozen_dense_block: 3 });
});

it("kernels: libtorch takes none of them", () => {
  setKernels("libtorch");
  try {
    for (const name of ["resnet8", "densenet-bc-40-12"]) {
      expect(operatorsOf(name, 32)).toEqual({ training: {}, frozen: {} });
    }
  } finally {
    setKernels("fast");
  }
});
