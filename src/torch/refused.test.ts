import { expect, it } from "vitest";
import { functions, methods } from "./generate/operators.js";
import { refusalOf } from "./refused.js";

it.each([...methods, ...functions].map(({ name }) => name))("offers %s, which has a wrapper", (name) => {
  expect(refusalOf(`aten::${name}`)).toBeUndefined();
});

it.each([
  ["quantized::add", /does not carry/],
  ["aten::to_sparse.sparse_dim", /does not carry/],
  ["aten::_stack", /empty/],
  ["aten::_ctc_loss.Tensor", /memory/],
])("refuses %s", (name, reason) => {
  expect(refusalOf(name)).toMatch(reason);
});

it("offers the project's own operators", () => {
  expect(refusalOf("lyceum::augment")).toBeUndefined();
});
