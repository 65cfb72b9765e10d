import { expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { hasDenseOperators } from "./build.js";

const hasOwn = hasDenseOperators();

/** Calls an operator with a list of parameters, the first of them its input. */
type Call = (parameters: torch.Tensor[]) => torch.Tensor;

const averages = (...sizes: number[]) => sizes.flatMap((size) => [torch.zeros([size]), torch.ones([size])]);
const cases: [string, number[][], Call][] = [
  [
    "batch_norm",
    [[2, 16, 4, 4], [16], [16]],
    ([x, weight, bias]) =>
      torch.op("lyceum::batch_norm", x, weight, bias, ...averages(16), undefined, true, true, 0.1, 1e-5),
  ],
  [
    "conv2d",
    [
      [2, 16, 4, 4],
      [16, 16, 3, 3],
    ],
    ([x, weight]) => torch.op("lyceum::conv2d", x, weight, undefined, [1, 1], [1, 1], true),
  ],
  [
    "residual_stage",
    [[2, 1, 16, 16, 16], [16, 16, 3, 3], [16], [16], [16, 16, 3, 3], [16], [16]],
    ([x, ...parameters]) =>
      torch.op("lyceum::residual_stage", x, parameters, averages(16, 16), undefined, 1, true, 0.1, 1e-5),
  ],
  [
    "bottleneck_stage",
    [
      [2, 1, 4, 4, 16],
      ...[[16, 16, 1, 1], [16], [16], [16, 16, 3, 3], [16], [16], [16, 16, 1, 1], [16], [16]],
    ],
    ([x, ...parameters]) =>
      torch.op(
        ...(["lyceum::bottleneck_stage", x, parameters, averages(16, 16, 16)] as const),
        ...[undefined, 1, true, 0.1, 1e-5],
      ),
  ],
  [
    "dense_block",
    [[2, 16, 4, 4], [16], [16], [16, 16, 1, 1], [16], [16], [4, 16, 3, 3], [20], [20]],
    ([x, ...parameters]) =>
      torch.op("lyceum::dense_block", x, parameters, averages(16, 16, 20), [2, 2], 0.1, 1e-5),
  ],
];

it.skipIf(!hasOwn).each(cases)(
  "%s: a gradient is of what was given, whatever data the tensors are given later (needs AVX2)",
  (_, shapes, call) => {
    torch.scope(() => {
      const gradients = (replace: boolean) => {
        const generator = new torch.Generator(1);
        const given = shapes.map((shape) => torch.randn(shape, { generator }).requiresGrad_());
        // Tensors that are no leaves: their gradients may be asked for whatever becomes of them.
        const inputs = given.map((one) => one.mul(1));
        const y = call(replace ? given : inputs);
        const dy = torch.randn(y.shape, { generator });
        if (!replace) return torch.grad(y, inputs, { gradOutputs: [dy] });
        const small = () => torch.ones([1]);
        for (const one of given) torch.noGrad(() => torch.op("aten::set_data", one, small()));
        return torch.grad(y, given, { gradOutputs: [dy] });
      };
      const expected = gradients(false);
      for (const [i, found] of gradients(true).entries()) {
        // The same operator computes the same numbers: only what it saved could differ.
        expect(found!.equal(expected[i]!)).toBe(true);
      }
    });
  },
);
