/** Compares a training step by Lyceum's own operators with the same step in float64. */
import { afterEach, describe, expect, it } from "vitest";
import { distillation } from "../methods/index.js";
import { createModel } from "../models/index.js";
import * as nn from "../nn/index.js";
import * as torch from "../torch/index.js";
import { objectiveOf } from "./objective.js";

afterEach(() => nn.setKernels("fast"));

const [classes, channels, size, batchSize] = [10, 3, 16, 16];

function network(name: string, seed: number, dtype: torch.DType) {
  const generator = new torch.Generator(seed);
  const options = { classes, channels, height: size, width: size, generator };
  return createModel(name, options).to({ memoryFormat: "channelsLast" }).to({ dtype }).train();
}

/** Computes the loss and the gradients of one student's step, and gives them in float64. */
function step(name: string, kernels: nn.Kernels, dtype: torch.DType): Float64Array {
  nn.setKernels(kernels);
  const generator = new torch.Generator(5);
  const images = torch.randn([batchSize, channels, size, size], { generator }).contiguous("channelsLast");
  const labels = torch.randint(0, classes, [batchSize], { generator, dtype: "int64" });
  const teacher = network(name, 1, dtype).eval().requiresGrad_(false);
  const model = network(name, 2, dtype);
  const options = { hardWeight: 0.5, softWeight: 0.5, temperature: 1 };
  const objective = objectiveOf(distillation, options, { teachers: [teacher] });
  return torch.scope(() => {
    const given = images.to({ dtype });
    const { loss } = objective.losses(model.forward(given), labels, given);
    loss.backward();
    const flat = model.parameters().map((parameter) => parameter.grad!.reshape([-1]));
    const all = torch.cat([loss.detach().reshape([1]), ...flat]).to({ dtype: "float64" });
    return all.toTypedArray() as Float64Array;
  });
}

const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

function distance(a: Float64Array, b: Float64Array): number {
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
}

/**
 * The largest error of the kernels that is allowed, as a multiple of that of libtorch's kernels. Exact
 * kernels add the same products in another order, so that their errors are of one size. Winograd's algorithm
 * over tiles of 4x4 outputs adds and subtracts multiples of up to 8 (its transforms' largest entries), which
 * magnifies the rounding of a layer by up to about two orders; over a network's mixture of layers less.
 */
const allowance = { exact: 8, fast: 200 } as const;

describe.each(["resnet8", "densenet-bc-40-12"])("gradients of %s", (name) => {
  const right = step(name, "libtorch", "float64");
  const usual = distance(step(name, "libtorch", "float32"), right);

  it.each(["exact", "fast"] as const)(
    "are as near to float64's as libtorch's own are, by %s kernels",
    (kernels) => {
      expect(usual).toBeGreaterThan(0);
      expect(distance(step(name, kernels, "float32"), right)).toBeLessThan(allowance[kernels] * usual);
    },
  );
});
