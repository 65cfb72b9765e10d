import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Parameter, setKernels } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { type Case, followSteps, parameter, read, setGradients, values } from "./fixtures/cases.js";
import { SGD, type SGDOptions } from "./index.js";
import { hasFusedUpdate } from "./sgd/fused-update.js";

const cases = read<Case<{ momentum: number; nesterov: boolean; weightDecay: number }>[]>("./sgd.json");

/** Two parameters, moved once from 1 by gradients of 1 and 2. */
function started(options: Partial<SGDOptions> = {}) {
  const parameters = [parameter([1]), parameter([1, 1])];
  const optimizer = new SGD(parameters, { learningRate: 0.5, momentum: 0.5, ...options });
  setGradients(parameters, [[1], [2, 2]]);
  optimizer.step();
  return { parameters, optimizer };
}

/**
 * How far a step of numbers of about 1 may lie from PyTorch's: a hundred roundings; and a few of float32, in which the
 * learning rate is kept on the device.
 */
const allowances = { number: 100 * 2 ** -53, tensor: 16 * 2 ** -24 };

const kinds = [
  { fused: false, capturable: false, allowance: allowances.number },
  { fused: false, capturable: true, allowance: allowances.tensor },
  // The fused operator, where this libtorch has it.
  ...(hasFusedUpdate() ? [{ fused: true, capturable: true, allowance: allowances.tensor }] : []),
];

afterEach(() => setKernels("fast"));

describe("SGD", () => {
  it.each(kinds.flatMap((kind) => cases.map((one) => ({ ...kind, ...one }))))(
    "steps as torch.optim.SGD: $options, fused $fused, capturable $capturable",
    ({ fused, capturable, allowance, options, ...one }) => {
      followSteps({ options, ...one }, allowance, (parameters, noDecay) => {
        return new SGD(parameters, { ...options, learningRate: 1, noDecay, fused, capturable });
      });
    },
  );

  it.each(["fast", "libtorch"] as const)(
    "steps in float32 as in float64, however tensors lie: %s",
    (kernels) => {
      const cases = fc.record({
        shapes: fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }), {
          minLength: 1,
          maxLength: 5,
        }),
        large: fc.boolean(),
        momentum: fc.constantFrom(0, 0.9),
        nesterov: fc.boolean(),
        weightDecay: fc.constantFrom(0, 0.1),
        seed: fc.integer({ min: 0, max: 1000 }),
      });
      const [learningRate, steps] = [0.1, 3];
      fc.assert(
        fc.property(cases, ({ shapes, large, nesterov, seed, ...options }) => {
          const run = (dtype: "float32" | "float64") => {
            setKernels(kernels);
            const generator = new torch.Generator(seed);
            const draw = (shape: number[]) => torch.randn(shape, { generator }).to({ dtype });
            const all = large ? [...shapes, [3, 40_000]] : shapes;
            const order = (x: torch.Tensor) => (x.shape.length === 4 ? x.contiguous("channelsLast") : x);
            const parameters = all.map((shape) => new Parameter(order(draw(shape))));
            const optimizer = new SGD(parameters, {
              ...options,
              nesterov: nesterov && options.momentum > 0,
              noDecay: parameters.slice(0, 1),
              learningRate,
            });
            for (let step = 0; step < steps; step++) {
              for (const parameter of parameters) parameter.grad = draw([...parameter.shape]);
              optimizer.step();
            }
            return parameters.map((p) => p.detach().to({ dtype: "float64" }));
          };
          torch.scope(() => {
            const [ours, exact] = [run("float32"), run("float64")];
            for (const [i, expected] of exact.entries()) {
              if (expected.numel === 0) continue;
              // Each step rounds the weight once, and what it adds to it at most eight times: that is a rate of 0.1 times
              // a velocity of at most three gradients below 6, doubled by Nesterov's look ahead.
              const size = expected.abs().max().item() + 8 * learningRate * 36;
              const error = ours[i]!.sub(expected).abs().max().item();
              expect(error).toBeLessThanOrEqual(steps * 2 ** -24 * size);
            }
          });
        }),
        { numRuns: 40 },
      );
    },
  );

  it("leaves an infinite weight infinite where nothing decays it", () => {
    const weight = new Parameter(torch.tensor([Number.POSITIVE_INFINITY, 1]));
    weight.grad = torch.ones([2]);
    new SGD([weight], { learningRate: 1, momentum: 0.5 }).step();
    expect(weight.tolist()).toEqual([Number.POSITIVE_INFINITY, 0]);
  });

  it("tells autograd that a parameter has changed", () => {
    const weight = new Parameter(torch.ones([2]));
    const squares = weight.mul(weight).sum();
    weight.grad = torch.ones([2]);
    new SGD([weight], { learningRate: 1 }).step();
    expect(() => squares.backward()).toThrow(/modified by an inplace operation/);
  });

  it.skipIf(hasFusedUpdate())("says so where libtorch has no fused SGD", () => {
    expect(() => started({ fused: true })).toThrow(/has no fused SGD/);
  });

  it("leaves the gradients as they were", () => {
    const { parameters } = started({ weightDecay: 1, nesterov: true });
    expect(parameters.map((p) => p.grad!.tolist())).toEqual([[1], [2, 2]]);
  });

  it("forgets gradients in zeroGrad, and then steps nowhere", () => {
    const { parameters, optimizer } = started();
    const before = values(parameters);
    optimizer.zeroGrad();
    expect(parameters.map((p) => p.grad)).toEqual([undefined, undefined]);
    optimizer.step();
    expect(values(parameters)).toEqual(before);
  });

  it("goes on from a saved state as it would have", () => {
    const a = started();
    const saved = Object.entries(a.optimizer.stateDict()).map(([name, v]) => [name, v.clone()] as const);
    const b = { parameters: [parameter([0.5]), parameter([0, 0])] };
    expect(values(b.parameters)).toEqual(values(a.parameters));
    const resumed = new SGD(b.parameters, { learningRate: 0.5, momentum: 0.5 });
    resumed.loadStateDict(Object.fromEntries(saved));
    for (const [parameters, optimizer] of [
      [a.parameters, a.optimizer],
      [b.parameters, resumed],
    ] as const) {
      setGradients(parameters, [[3], [4, 5]]);
      optimizer.step();
    }
    expect(values(b.parameters)).toEqual(values(a.parameters));
  });

  it("lays loaded velocities out as their parameters", () => {
    const weight = new Parameter(torch.randn([2, 3, 2, 2]).contiguous("channelsLast"));
    const optimizer = new SGD([weight], { learningRate: 1, momentum: 0.5 });
    const saved = torch.randn([2, 3, 2, 2]);
    optimizer.loadStateDict({ "velocity.0": saved });
    const velocity = optimizer.stateDict()["velocity.0"]!;
    expect(velocity.isContiguous("channelsLast")).toBe(true);
    expect(velocity.tolist()).toEqual(saved.tolist());
  });

  it("can load its own state", () => {
    const { optimizer } = started();
    optimizer.loadStateDict(optimizer.stateDict());
    expect(Object.values(optimizer.stateDict()).map((v) => v.tolist())).toEqual([[1], [2, 2]]);
  });

  it("forgets the velocities that a loaded state has not", () => {
    const { optimizer } = started();
    optimizer.loadStateDict({ "velocity.1": torch.ones([2]) });
    expect(Object.keys(optimizer.stateDict())).toEqual(["velocity.1"]);
  });

  it("lends its state without giving it away", () => {
    const { parameters, optimizer } = started();
    torch.scope(() => {
      for (const velocity of Object.values(optimizer.stateDict())) velocity.dispose();
    });
    optimizer.step();
    expect(parameters[0]!.item()).toBe(1 - 0.5 - 0.5 * 1.5);
  });

  it.each([
    ["velocity.2", [1]],
    ["velocity.1", [3]],
    ["speed.0", [1]],
    ["velocity.-1", [1]],
  ])("refuses a state with %s of shape %j, and keeps its own", (name, shape) => {
    const { optimizer } = started();
    const state = { "velocity.0": torch.zeros([1]), [name]: torch.zeros(shape) };
    expect(() => optimizer.loadStateDict(state)).toThrow(`${name} of shape [${shape}] fits no parameter`);
    expect(optimizer.stateDict()["velocity.0"]!.item()).toBe(1);
  });

  it.each([
    { learningRate: -1 },
    { learningRate: Number.NaN },
    { momentum: Number.POSITIVE_INFINITY },
    { weightDecay: -1e-9 },
    { nesterov: true, momentum: 0 },
  ])("refuses %j", (options) => {
    expect(() => new SGD([], { learningRate: 0.1, ...options })).toThrow(RangeError);
  });

  it("holds no memory from step to step, and gives all back", () => {
    const { parameters, optimizer } = started({ weightDecay: 0.1, nesterov: true });
    const { tensors } = settled();
    for (let i = 0; i < 20; i++) optimizer.step();
    expect(torch.memoryStats().tensors).toBe(tensors);
    optimizer.dispose();
    expect(torch.memoryStats().tensors).toBe(tensors - parameters.length);
  });
});
