import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { BatchNorm2d } from "./index.js";
import { expectAsExact, largest, unit } from "./testing/rounding.js";

interface Case {
  shape: [number, number, number, number];
  residual: boolean;
  relu: boolean;
  training: boolean;
  /** The mean of the input. */
  mean?: number;
  seed?: number;
}

/** The result, the running statistics, and the gradients by x, weight, bias and residual. */
type Outcome = Record<string, torch.Tensor>;

interface Inputs {
  x: torch.Tensor;
  weight: torch.Tensor;
  bias: torch.Tensor;
  runningMean: torch.Tensor;
  runningVar: torch.Tensor;
  residual?: torch.Tensor;
  dy: torch.Tensor;
}

type Forward = (inputs: Inputs, { relu, training }: Case) => torch.Tensor;

const fused: Forward = ({ x, weight, bias, runningMean, runningVar, residual }, { relu, training }) =>
  torch.op(
    "lyceum::batch_norm",
    x,
    weight,
    bias,
    runningMean,
    runningVar,
    residual,
    relu,
    training,
    0.1,
    1e-5,
  );

const composed: Forward = (inputs, { relu, training }) => {
  const { x, weight, bias, runningMean, runningVar, residual } = inputs;
  const y = torch.batchNorm(x, weight, bias, runningMean, runningVar, training, 0.1, 1e-5, false);
  const sum = residual ? y.add(residual) : y;
  return relu ? sum.relu() : sum;
};

function draw({ shape, residual, mean = 0, seed = 1 }: Case): Inputs {
  const generator = new torch.Generator(seed);
  const image = () => torch.randn(shape, { generator }).contiguous("channelsLast");
  const channel = () => torch.randn([shape[1]], { generator });
  return {
    x: image().add(mean),
    weight: channel(),
    bias: channel(),
    runningMean: channel(),
    runningVar: channel().square().add(0.1),
    ...(residual ? { residual: image() } : {}),
    dy: image(),
  };
}

function outcome(forward: Forward, given: Inputs, options: Case): Outcome {
  const copy = ([name, tensor]: [string, torch.Tensor]) => [name, tensor.detach().clone()] as const;
  const inputs = Object.fromEntries(Object.entries(given).map(copy)) as unknown as Inputs;
  const leaves = Object.entries(inputs).filter(([name]) =>
    ["x", "weight", "bias", "residual"].includes(name),
  ) as [string, torch.Tensor][];
  for (const [, leaf] of leaves) leaf.requiresGrad_();
  const y = forward(inputs, options);
  y.backward(inputs.dy);
  return {
    y: y.detach(),
    runningMean: inputs.runningMean,
    runningVar: inputs.runningVar,
    ...Object.fromEntries(leaves.map(([name, leaf]) => [`d ${name}`, leaf.grad!])),
  };
}

const inDouble = (inputs: Inputs): Inputs =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [name, tensor.to({ dtype: "float64" })]),
  ) as unknown as Inputs;

interface Judged {
  found: torch.Tensor;
  /** By ATen's operators, in float32 and in float64. */
  libtorch: torch.Tensor;
  exact: torch.Tensor;
  /**
   * What it is made of: at least what a step of 1 in x may change. A channel of a few values that are nearly equal is
   * stretched, and with it what their mean was rounded by.
   */
  size: number;
  what: string;
}

/** All that a forward and its backward make, beside ATen's operators. To be called in a scope. */
function judge(options: Case, forward: Forward = fused): Judged[] {
  const inputs = draw(options);
  const exact = inDouble(inputs);
  // Where rounding decides what passes the ReLU, either is right.
  const y = composed(inDouble(inputs), options);
  inputs.dy = exact.dy.mul(y.abs().gt(1e-3)).to({ dtype: "float32" });
  exact.dy = inputs.dy.to({ dtype: "float64" });
  const [found, libtorch] = [forward, composed].map((one) => outcome(one, inputs, options)) as [
    Outcome,
    Outcome,
  ];
  const expected = outcome(composed, exact, options);
  const variance = options.training ? exact.x.var([0, 2, 3], { correction: 0 }) : exact.runningVar;
  const stretch = exact.weight.abs().add(1).div(variance.add(1e-5).sqrt()).max().item();
  return Object.entries(expected).map(([what, value]) => {
    const size = Math.max(1, what.startsWith("running") ? 0 : stretch);
    return { found: found[what]!, libtorch: libtorch[what]!, exact: value, size, what };
  });
}

/** Expects all of it to be as exact as ATen's operators in float32 are. */
function expectJudged(options: Case, forward: Forward = fused): void {
  torch.scope(() => {
    for (const { found, ...rest } of judge(options, forward)) expectAsExact(found, rest);
  });
}

/** The largest difference of each part from float64, relative to its size. */
function differences(options: Case, forward: Forward = fused): Record<string, number> {
  return torch.scope(() =>
    Object.fromEntries(
      judge(options, forward).map(({ found, exact, size, what }) => [
        what,
        largest(found.sub(exact)) / Math.max(size, largest(exact)),
      ]),
    ),
  );
}

const cases = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.oneof(fc.constantFrom(1, 16, 32, 64), fc.integer({ min: 1, max: 70 })),
    fc.integer({ min: 1, max: 17 }),
    fc.integer({ min: 2, max: 17 }),
  ),
  residual: fc.boolean(),
  relu: fc.boolean(),
  training: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe("lyceum::batch_norm", () => {
  it("is ATen's batch norm, sum and ReLU in float64, with their gradients, at any size", () => {
    fc.assert(
      fc.property(cases, (options) => {
        expectJudged(options);
      }),
      { numRuns: 60 },
    );
  });

  it("stays exact far from zero, where squares would cancel", () => {
    const options: Case = {
      shape: [8, 16, 16, 16],
      residual: false,
      relu: false,
      training: true,
      mean: 3000,
    };
    const found = differences(options);
    // Two float32 numbers near 3000 differ by 2.4e-4 at least, and the deviation is 1.
    expect(Math.max(...Object.values(found))).toBeLessThan(5e-4);
    // The squares are near 9 million, one unit of which is 0.5.
    expect(found.runningVar).toBeLessThan(64 * unit);
  });

  it("takes the blocked layout for what it is", () => {
    const blocked: Forward = (inputs, options) => {
      const [n, c, h, w] = inputs.x.shape as [number, number, number, number];
      const block = (x: torch.Tensor) =>
        x
          .reshape([n, c / 16, 16, h, w])
          .permute([0, 1, 3, 4, 2])
          .contiguous();
      const { residual } = inputs;
      const y = fused(
        { ...inputs, x: block(inputs.x), ...(residual ? { residual: block(residual) } : {}) },
        options,
      );
      return y.permute([0, 1, 4, 2, 3]).reshape([n, c, h, w]);
    };
    for (const residual of [true, false]) {
      const options: Case = { shape: [3, 48, 5, 7], residual, relu: true, training: true };
      expectJudged(options, blocked);
    }
  });

  it("stores bfloat16 and computes float32", () => {
    const half: Forward = (inputs, options) => {
      const store = (x: torch.Tensor) => x.to({ dtype: "bfloat16" });
      const { x, residual } = inputs;
      return fused(
        { ...inputs, x: store(x), ...(residual ? { residual: store(residual) } : {}) },
        options,
      ).to({
        dtype: "float32",
      });
    };
    for (const channels of [16, 20, 64]) {
      for (const residual of [true, false]) {
        const options: Case = { shape: [3, channels, 9, 7], residual, relu: false, training: true };
        const found = Math.max(...Object.values(differences(options, half)));
        // What goes in and what comes out lose up to 2^-9 of themselves each, and the gradient is scaled by up to twice that.
        expect(found).toBeLessThan(4 * 2 ** -9);
        // Were it stored as float32, it would be far closer.
        expect(found).toBeGreaterThan(300 * unit);
      }
    }
  });

  it("rounds to the nearest bfloat16 as ATen does", () => {
    const x = torch.randn([2, 16, 8, 8], { generator: new torch.Generator(1) }).contiguous("channelsLast");
    x.select(0, 0).select(0, 0).fill_(Number.NaN);
    x.select(0, 0).select(0, 1).fill_(Number.POSITIVE_INFINITY);
    x.select(0, 0)
      .select(0, 2)
      .fill_(1 + 2 ** -8);
    x.select(0, 0)
      .select(0, 3)
      .fill_(1 + 3 * 2 ** -8);
    const stored = x.to({ dtype: "bfloat16" });
    const [one, zero] = [torch.ones([16]), torch.zeros([16])];
    const scale = 1 + 2 ** -6;
    // In evaluation, with a mean of 0 and a variance of 1, batch norm multiplies by the weight.
    const options = [false, false, 0.1, 0] as const;
    const y = torch.op("lyceum::batch_norm", stored, one.mul(scale), zero, zero, one, undefined, ...options);
    const expected = stored.to({ dtype: "float32" }).mul(scale).to({ dtype: "bfloat16" });
    expect(y.to({ dtype: "float32" }).tolist()).toEqual(expected.to({ dtype: "float32" }).tolist());
  });

  it("takes memory in any order", () => {
    const turned: Forward = (inputs, options) => {
      const turn = (x: torch.Tensor) => x.transpose(2, 3).contiguous().transpose(2, 3);
      return fused({ ...inputs, x: turn(inputs.x), residual: turn(inputs.residual!) }, options);
    };
    const options: Case = { shape: [3, 20, 5, 7], residual: true, relu: true, training: true };
    expectJudged(options, turned);
  });

  it("gives the same bits with any number of threads", () => {
    const options: Case = { shape: [32, 16, 9, 9], residual: true, relu: true, training: true };
    const bits = (threads: number) => {
      torch.setNumThreads(threads);
      return Object.values(outcome(fused, draw(options), options)).map((tensor) => tensor.toTypedArray());
    };
    const before = torch.getNumThreads();
    try {
      expect(bits(3)).toEqual(bits(1));
    } finally {
      torch.setNumThreads(before);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("passes %s on as ATen does", (value) => {
    const options: Case = { shape: [2, 17, 4, 4], residual: true, relu: true, training: false };
    const inputs = draw(options);
    inputs.x.select(0, 0).select(0, 3).fill_(value);
    inputs.residual!.select(0, 1).select(0, 16).fill_(value);
    const found = outcome(fused, inputs, options);
    const exact = outcome(composed, inDouble(inputs), options);
    const finite = (x: torch.Tensor) => torch.op("aten::nan_to_num", x, 0, 0, 0) as torch.Tensor;
    for (const name of ["y", "d x", "d residual"]) {
      const [mine, theirs] = [found[name]!, exact[name]!];
      expect(mine.isnan().equal(theirs.isnan())).toBe(true);
      // A few roundings of each value: a scale, a shift and a sum.
      const bound = 16 * unit * largest(finite(theirs));
      expect(largest(finite(mine.sub(theirs)))).toBeLessThanOrEqual(bound);
    }
  });

  it("takes an empty batch", () => {
    const options: Case = { shape: [0, 16, 4, 4], residual: true, relu: true, training: true };
    const inputs = draw(options);
    const found = outcome(fused, inputs, options);
    expect(found.y!.shape).toEqual([0, 16, 4, 4]);
    expect(found["d weight"]!.abs().max().item()).toBe(0);
    expect(found.runningMean!.tolist()).toEqual(inputs.runningMean.tolist());
  });

  it("says that it has no second derivative, and where to get one", () => {
    const inputs = draw({ shape: [2, 16, 4, 4], residual: false, relu: true, training: true });
    inputs.x.requiresGrad_();
    const y = fused(inputs, { shape: [2, 16, 4, 4], residual: false, relu: true, training: true });
    expect(() => torch.grad([y.sum()], [inputs.x], { createGraph: true })).toThrow(
      /no second derivative.*float64/,
    );
  });

  it.each([
    ["an input of other dimensions", { x: [2, 16, 4] }, /batch_norm: x must be float32 or bfloat16/],
    ["another residual", { residual: [2, 16, 4, 5] }, /the residual must be as x/],
    ["a weight of another length", { weight: [15] }, /weight must be contiguous float32 \[16\]/],
  ])("refuses %s", (_, shapes, message) => {
    const options: Case = { shape: [2, 16, 4, 4], residual: true, relu: true, training: true };
    const odd = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, torch.zeros(shape)]));
    expect(() => fused({ ...draw(options), ...odd } as Inputs, options)).toThrow(message);
  });
});

describe("BatchNorm2d", () => {
  it.each([true, false])("does the same in either memory order, training: %s", (training) => {
    torch.scope(() => {
      const generator = new torch.Generator(3);
      const [x, residual] = [0, 1].map(() => torch.randn([4, 20, 6, 6], { generator })) as [
        torch.Tensor,
        torch.Tensor,
      ];
      const run = (order: "channelsLast" | "contiguous", dtype: "float32" | "float64") => {
        const norm = new BatchNorm2d(20).to({ dtype }).train(training);
        const laid = (x: torch.Tensor) => x.to({ dtype }).contiguous(order);
        const y = norm.forward(laid(x), { residual: laid(residual), relu: true });
        expect(norm.numBatchesTracked.item()).toBe(Number(training));
        return { y: y.detach(), mean: norm.runningMean };
      };
      // Planes and float64 are ATen's.
      const [rows, planes] = [run("channelsLast", "float32"), run("contiguous", "float32")];
      const exact = run("contiguous", "float64");
      expect(rows.y.isContiguous("channelsLast")).toBe(true);
      expectAsExact(rows.y, { libtorch: planes.y, exact: exact.y });
      expectAsExact(rows.mean, { libtorch: planes.mean, exact: exact.mean });
    });
  });

  it.each([
    ["is broadcast", [4, 20, 1, 1], "float32"],
    ["has another dtype", [4, 20, 6, 6], "float64"],
  ] as const)("adds a residual that %s", (_, shape, dtype) => {
    torch.scope(() => {
      const generator = new torch.Generator(3);
      const x = torch.randn([4, 20, 6, 6], { generator }).contiguous("channelsLast");
      const residual = torch.randn([...shape], { generator }).to({ dtype });
      const norm = new BatchNorm2d(20);
      const expected = norm.forward(x).add(residual).relu();
      const found = norm.forward(x, { residual, relu: true });
      expect(found.dtype).toBe(expected.dtype);
      expectAsExact(found, { libtorch: expected, exact: expected });
    });
  });
});
