import { expect, it } from "vitest";
import { functions, methods } from "./generate/operators.js";
import { op, tensor } from "./index.js";
import { refusalOf } from "./refused.js";

it.each([...methods, ...functions].map(({ name }) => name))("offers %s, which has a wrapper", (name) => {
  expect(refusalOf(`aten::${name}`)).toBeUndefined();
});

it.each([
  ["quantized::add", /does not carry/],
  ["aten::to_sparse.sparse_dim", /does not carry/],
  ["aten::_stack", /empty/],
  ["aten::_ctc_loss.Tensor", /memory/],
  ["aten::fractional_max_pool2d_backward.grad_input", /autograd/],
  ["aten::_softmax_backward_data", /autograd/],
  ["aten::embedding_bag.padding_idx", /memory/],
  ["aten::lstm.input", /memory/],
  ["aten::lu_unpack.out", /memory/],
])("refuses %s", (name, reason) => {
  expect(refusalOf(name)).toMatch(reason);
});

it("offers the project's own operators", () => {
  expect(refusalOf("lyceum::augment")).toBeUndefined();
});

it("carries no zeros without memory, which to read would end the process", () => {
  expect(() => op("aten::_efficientzerotensor", [3])).toThrow(/not dense, which the bridge does not carry/);
});

it("keeps infinite values and NaN from LAPACK, which would never come back", () => {
  const values = [
    [3.4e38, 0, -3.4e38],
    [1e-45, 1e-45, 1],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0],
  ];
  expect(() => op("aten::linalg_svd", tensor(values))).toThrow(/aten::linalg_svd: all values must be finite/);
  expect(() => op("aten::linalg_eigvals", tensor([[Number.NaN]]))).toThrow(/all values must be finite/);
  expect(
    op(
      "aten::linalg_svdvals",
      tensor([
        [3, 0],
        [0, 4],
      ]),
    ).tolist(),
  ).toEqual([4, 3]);
});
