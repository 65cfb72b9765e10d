import { describe, expect, it } from "vitest";
import { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { hasFusedUpdate } from "./adamw/fused-update.js";
import { type Case, followSteps, parameter, read, setGradients, values } from "./fixtures/cases.js";
import { AdamW } from "./index.js";

const cases = read<Case<{ betas: [number, number]; eps: number; weightDecay: number }>[]>("./adamw.json");

const kinds = [
  { fused: false, capturable: false },
  { fused: false, capturable: true },
  // The fused operator, where this libtorch has it.
  ...(hasFusedUpdate() ? [{ fused: true, capturable: true }] : []),
];

describe.each(kinds)("AdamW, %o", (kind) => {
  it.each(cases)("steps as torch.optim.AdamW: $options", (one) => {
    const { options } = one;
    // A hundred roundings of numbers of about 1; 1 - β2ᵗ magnifies one of βᵗ. On the device the rate is a float32.
    const magnified = 4 / (1 - options.betas[1]);
    const allowance = (100 + magnified) * 2 ** -53 + (kind.capturable ? 16 * 2 ** -24 : 0);
    followSteps(one, allowance, (parameters, noDecay) => {
      return new AdamW(parameters, { ...options, ...kind, learningRate: 1, noDecay });
    });
  });

  it("counts the steps of each parameter, also across a saved state", () => {
    const gradients: (number[] | null)[][] = [
      [[1], null, [1]],
      [[2], [1], [1]],
      [null, [3], [2]],
      [[1], [1], [1]],
    ];
    const fresh = () => [[1], [2], [3]].map(parameter);
    const make = (parameters: Parameter[]) => new AdamW(parameters, { ...kind, learningRate: 0.1 });
    const [a, b] = [fresh(), fresh()];
    const whole = make(a);
    let cut = make(b);
    for (const step of gradients) {
      setGradients(a, step);
      whole.step();
      setGradients(b, step);
      const other = make(b);
      other.loadStateDict(cut.stateDict());
      cut = other;
      cut.step();
    }
    expect(values(b)).toEqual(values(a));
    const state = whole.stateDict();
    expect([0, 1, 2].map((i) => state[`step.${i}`]!.item())).toEqual([3, 3, 4]);
  });

  it("moves by the whole rate at first, whatever the gradient's size", () => {
    const weights = parameter([1, 1, 1]);
    const optimizer = new AdamW([weights], { ...kind, learningRate: 0.25, weightDecay: 0, eps: 0 });
    setGradients([weights], [[1e-20, -3, 1e20]]);
    optimizer.step();
    (weights.tolist() as number[]).forEach((value, i) => {
      expect(value).toBeCloseTo([0.75, 1.25, 0.75][i]!, 6);
    });
  });

  it("stands still at a rate of 0", () => {
    const weights = parameter([1, -2]);
    const optimizer = new AdamW([weights], { ...kind, learningRate: 0 });
    setGradients([weights], [[0, 5]]);
    optimizer.step();
    expect(weights.tolist()).toEqual([1, -2]);
  });
});

it.runIf(hasFusedUpdate())(
  "leaves a step out where something was infinite, if libtorch has a fused AdamW",
  () => {
    const weights = parameter([1]);
    const optimizer = new AdamW([weights], { fused: true, learningRate: 0.25 });
    setGradients([weights], [[1]]);
    optimizer.step();
    const before = [weights, ...Object.values(optimizer.stateDict())].map((tensor) => tensor.tolist());
    optimizer.step({ foundInf: torch.ones([1]) });
    expect([weights, ...Object.values(optimizer.stateDict())].map((tensor) => tensor.tolist())).toEqual(
      before,
    );
  },
);

it.skipIf(hasFusedUpdate())("says so where libtorch has no fused AdamW", () => {
  expect(() => new AdamW([], { learningRate: 1, fused: true })).toThrow(/has no fused AdamW/);
});

it("steps in float32 as in float64, in channels-last memory too", () => {
  const run = (dtype: "float32" | "float64") =>
    torch.scope(() => {
      const generator = new torch.Generator(7);
      const draw = () => torch.randn([8, 3, 5, 5], { generator }).to({ dtype });
      const weight = new Parameter(draw().contiguous("channelsLast"));
      const optimizer = new AdamW([weight], { learningRate: 0.1, betas: [0.5, 0.75] });
      for (let step = 0; step < 3; step++) {
        weight.grad = draw();
        optimizer.step();
      }
      return weight.detach().to({ dtype: "float64" });
    });
  const exact = run("float64");
  // Each step rounds the weight once or twice, and what it adds, below 2 times the rate, some sixteen times.
  const size = 2 * exact.abs().max().item() + 16 * 0.2;
  expect(run("float32").sub(exact).abs().max().item()).toBeLessThanOrEqual(3 * 2 ** -24 * size);
});

it.each([
  { learningRate: -1 },
  { betas: [0.9, 1] as const },
  { betas: [Number.NaN, 0.9] as const },
  { eps: -1 },
  { weightDecay: Number.POSITIVE_INFINITY },
])("refuses %j", (options) => {
  expect(() => new AdamW([], { learningRate: 0.1, ...options })).toThrow(RangeError);
});

it.each([
  [{ "velocity.0": torch.zeros([1]) }, "velocity.0 of shape [1] fits no parameter"],
  [{ "exp_avg.0": torch.zeros([2]) }, "exp_avg.0 of shape [2] fits no parameter"],
  [{ "step.0": torch.zeros([1]) }, "step.0 of shape [1] fits no parameter"],
  [{ "exp_avg.0": torch.zeros([1]), "step.0": torch.zeros([]) }, "exp_avg_sq.0 is missing"],
  [
    { "exp_avg.0": torch.zeros([1]), "exp_avg_sq.0": torch.zeros([1]), "step.0": torch.tensor(Number.NaN) },
    "step.0 is NaN",
  ],
])("refuses a state that is none of its own, and keeps its own: %#", (state, message) => {
  const weights = parameter([1]);
  const optimizer = new AdamW([weights], { learningRate: 0.1 });
  setGradients([weights], [[1]]);
  optimizer.step();
  expect(() => optimizer.loadStateDict(state)).toThrow(message);
  expect(optimizer.stateDict()["step.0"]!.item()).toBe(1);
});
