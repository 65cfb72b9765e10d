import { expect, it } from "vitest";
import type { Parameter } from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { type Case, followSteps, parameter, read, setGradients, values } from "./fixtures/cases.js";
import { AdamW, GroupedOptimizer, SGD } from "./index.js";

type GroupedCase = Case<Record<string, never>> & { kind: "sgd" | "adamw"; factors: number[] };
const cases = read<GroupedCase[]>("./grouped.json");

const kinds = {
  sgd: (parameters: Parameter[]) =>
    new SGD(parameters, { learningRate: 1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  adamw: (parameters: Parameter[]) =>
    new AdamW(parameters, { learningRate: 1, betas: [0.9, 0.99], weightDecay: 0.1 }),
};

it.each(cases)("$kind steps as torch.optim does with parameter groups", ({ kind, factors, ...one }) => {
  // Numbers of about 1 may differ by a hundred roundings of float64.
  followSteps(one, 100 * 2 ** -53, (parameters) => {
    const groups = parameters.map((each, i) => ({ optimizer: kinds[kind]([each]), factor: factors[i]! }));
    return new GroupedOptimizer(groups, 1);
  });
});

/** Two parameters of a group each, moved once. */
function started() {
  const parameters = [parameter([1]), parameter([1, 1])];
  const optimizer = new GroupedOptimizer(
    parameters.map((each, i) => ({ optimizer: kinds.sgd([each]), factor: 1 + i })),
    0.5,
  );
  setGradients(parameters, [[1], [2, 2]]);
  optimizer.step();
  return { parameters, optimizer };
}

it("goes on from a saved state to the bit", () => {
  const [one, other] = [started(), started()];
  const state = Object.fromEntries(
    Object.entries(one.optimizer.stateDict()).map(([name, tensor]) => [name, tensor.clone()]),
  ) as Record<string, torch.Tensor>;
  expect(Object.keys(state)).toEqual(["0.velocity.0", "1.velocity.0"]);
  other.optimizer.dispose();
  other.optimizer.loadStateDict(state);
  for (const { parameters, optimizer } of [one, other]) {
    setGradients(parameters, [[3], [4, 5]]);
    optimizer.step();
  }
  expect(values(other.parameters)).toEqual(values(one.parameters));
});

it("names what is wrong", () => {
  const { optimizer } = started();
  const state = optimizer.stateDict();
  expect(() => optimizer.loadStateDict({ "2.velocity.0": state["0.velocity.0"]! })).toThrow(
    "the optimiser's 2.velocity.0 belongs to none of its 2 groups",
  );
  expect(() => optimizer.loadStateDict({ "velocity.0": state["0.velocity.0"]! })).toThrow("none of its 2");
  expect(() => optimizer.loadStateDict({ "0.velocity.0": state["1.velocity.0"]! })).toThrow(
    "fits no parameter",
  );
  expect(() => new GroupedOptimizer([], 1)).toThrow("needs one group or more");
});

it("has the gradients of all groups, and frees what they keep", () => {
  const before = settled().tensors;
  const { parameters, optimizer } = started();
  expect(values(optimizer.gradients())).toEqual([[1], [2, 2]]);
  optimizer.zeroGrad();
  expect(optimizer.gradients()).toEqual([]);
  optimizer.dispose();
  for (const each of parameters) each.dispose();
  expect(settled().tensors).toBe(before);
});
