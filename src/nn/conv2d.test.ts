import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { fromBlocks, toBlocks } from "./cpu/blocks.js";
import { convolves } from "./cpu/build.js";
import { Conv2d, setKernels } from "./index.js";
import { expectAsExact, largest, unit } from "./testing/rounding.js";

interface Case {
  batch: number;
  channels: number;
  filters: number;
  size: [number, number];
  window: number;
  stride: number;
  padding: number;
  bias: boolean;
  /** The order of the weights' memory. */
  order: "contiguous" | "channelsLast";
  seed: number;
}

type Order = (x: torch.Tensor) => torch.Tensor;
const rows: Order = (x) => x.contiguous("channelsLast");
const inBlocks: Order = (x) => toBlocks(x).y;

/** A result or gradient, and what arithmetic says of it. */
interface Judged {
  found: torch.Tensor;
  /** ATen's in float64. */
  exact: torch.Tensor;
  /** The largest sum of the absolute values of the products that are added up. */
  size: number;
  /** The largest number of products that are added up. */
  products: number;
}

/** The result of lyceum::conv2d and each of its gradients, beside ATen's convolution in float64. */
function judge(options: Case, order: Order, allowWinograd = false): Judged[] {
  const { batch, channels, filters, size, window, stride, padding, bias, seed } = options;
  const generator = new torch.Generator(seed);
  const draw = (shape: number[]) => torch.randn(shape, { generator });
  const leaves = [
    draw([batch, channels, ...size]),
    draw([filters, channels, window, window]).contiguous(options.order),
    ...(bias ? [draw([filters])] : []),
  ];
  const strides = [stride, stride];
  const paddings = [padding, padding];
  const run = (
    dtype: torch.DType,
    convolve: (x: torch.Tensor, ...rest: torch.Tensor[]) => torch.Tensor,
    change = (x: torch.Tensor) => x,
  ) => {
    const inputs = leaves.map((leaf) => change(leaf.to({ dtype }).detach()).requiresGrad_());
    const y = convolve(...(inputs as [torch.Tensor, ...torch.Tensor[]]));
    y.backward(change(torch.randn(y.shape, { generator: new torch.Generator(seed + 1) }).to({ dtype })));
    return [y.detach(), ...inputs.map((input) => input.grad!)];
  };
  const aten = (x: torch.Tensor, weight?: torch.Tensor, bias?: torch.Tensor) =>
    torch.conv2d(x, weight!, bias, strides, paddings);
  const exact = run("float64", aten);
  const sizes = run("float64", aten, (x) => x.abs());
  const counts = run("float64", aten, (x) => torch.onesLike(x));
  const found = run("float32", (x, weight, bias) =>
    fromBlocks(torch.op("lyceum::conv2d", order(x), weight, bias, strides, paddings, allowWinograd)).to({
      dtype: "float32",
    }),
  );
  return exact.map((one, i) => ({
    found: found[i]!,
    exact: one,
    size: largest(sizes[i]!),
    products: largest(counts[i]!),
  }));
}

/** The largest of all differences, each relative to the size of what is added up. */
const difference = (judged: Judged[]) =>
  Math.max(...judged.map(({ found, exact, size }) => largest(found.sub(exact)) / (size || 1)));

/**
 * Expects errors within what n products and their sum, in any order, may be rounded by: n units of the sum of their
 * absolute values (Higham 2002, section 3.1). Winograd's algorithm F(4x4, 3x3) rounds about seven times as coarsely (Lavin
 * and Gray 2016, table 6) and is given eight times as much.
 */
function expectRounded(options: Case, order: Order, allowWinograd = false): void {
  torch.scope(() => {
    for (const { found, exact, size, products } of judge(options, order, allowWinograd)) {
      // One more for what is rounded when the sum is stored.
      const bound = (allowWinograd ? 8 : 1) * (products + 1) * unit * size;
      expect(largest(found.sub(exact))).toBeLessThanOrEqual(bound);
    }
  });
}

const sizes = {
  batch: fc.integer({ min: 1, max: 4 }),
  size: fc.tuple(fc.integer({ min: 3, max: 18 }), fc.integer({ min: 3, max: 18 })),
  window: fc.constantFrom(1, 2, 3),
  stride: fc.constantFrom(1, 2, 3),
  bias: fc.boolean(),
  order: fc.constantFrom("contiguous" as const, "channelsLast" as const),
  seed: fc.integer({ min: 0, max: 1000 }),
};
const fits = ({ window, padding }: { window: number; padding: number }) => padding < window;

describe("lyceum::conv2d", () => {
  it("is ATen's convolution in float64, with its gradients, at any size", () => {
    const channels = fc.oneof(fc.constantFrom(1, 3, 16, 32), fc.integer({ min: 1, max: 40 }));
    const cases = fc.record({
      ...sizes,
      channels,
      filters: channels,
      padding: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(cases.filter(fits), (options) => {
        expectRounded(options, rows);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same in blocks of channels", () => {
    const channels = fc.constantFrom(16, 32, 64);
    const cases = fc.record({
      ...sizes,
      channels,
      filters: channels,
      padding: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(cases.filter(fits), (options) => {
        expectRounded(options, inBlocks);
      }),
      { numRuns: 40 },
    );
  });

  it("rounds no more than a sum in any order may, by Winograd's algorithm too", () => {
    const channels = fc.constantFrom(16, 32, 48, 64, 80, 128);
    const batch = fc.integer({ min: 1, max: 24 });
    const cases = fc.record({ ...sizes, batch, channels, filters: channels });
    fc.assert(
      fc.property(cases, (drawn) => {
        const options = { ...drawn, window: 3, stride: 1, padding: 1 };
        expectRounded(options, inBlocks, true);
      }),
      { numRuns: 40 },
    );
  });

  const one: Case = {
    batch: 2,
    channels: 16,
    filters: 16,
    size: [5, 6],
    window: 3,
    stride: 1,
    padding: 1,
    bias: true,
    order: "contiguous",
    seed: 1,
  };

  it("takes memory in any order", () => {
    expectRounded(one, (x) => x.transpose(2, 3).contiguous().transpose(2, 3));
  });

  it.skipIf(!convolves("bfloat16"))("computes bfloat16 to its 8 bits (needs AVX-512)", () => {
    const half: Order = (x) => rows(x.to({ dtype: "bfloat16" }));
    const found = torch.scope(() =>
      difference(judge({ ...one, channels: 32, filters: 48, size: [9, 9] }, half)),
    );
    // Inputs, weights and the result lose up to 2^-9 of themselves each, whatever is added up between.
    expect(found).toBeLessThan(3.01 * 2 ** -9);
    // Were it float32, sums of so many products would be far closer.
    expect(found).toBeGreaterThan(300 * unit);
  });

  it("takes an empty batch", () => {
    for (const order of [rows, inBlocks]) {
      for (const { found, exact } of judge({ ...one, batch: 0 }, order)) {
        expect(found.shape).toEqual(exact.shape);
        expect(largest(found)).toBe(0);
      }
    }
  });

  it("works with another number of threads than it was prepared for", () => {
    const before = torch.getNumThreads();
    try {
      for (const threads of [1, 3, 2, 1]) {
        torch.setNumThreads(threads);
        expectRounded({ ...one, batch: 5 }, rows);
      }
    } finally {
      torch.setNumThreads(before);
    }
  });

  it("says that it has no second derivative, and where to get one", () => {
    const x = rows(torch.ones([1, 16, 4, 4])).requiresGrad_();
    const y = torch.op("lyceum::conv2d", x, torch.ones([16, 16, 3, 3]), undefined, [1, 1], [1, 1], true);
    expect(() => torch.grad([y.sum()], [x], { createGraph: true })).toThrow(/no second derivative.*float64/);
  });

  it.each([
    ["other dimensions", [2, 16, 4], [16, 16, 3, 3], [1, 1], /x must be float32 or bfloat16/],
    [
      "weights of other channels",
      [2, 16, 4, 4],
      [16, 8, 3, 3],
      [1, 1],
      /weight must be float32 \[K, 16, h, w\]/,
    ],
    ["half a block", [2, 1, 4, 4, 16], [8, 16, 3, 3], [1, 1], /K a multiple of 16/],
    ["padding as wide as the window", [2, 16, 4, 4], [16, 16, 3, 3], [3, 3], /padding less than the window/],
    ["a window too large", [2, 16, 4, 4], [16, 16, 9, 9], [1, 1], /does not fit/],
  ])("refuses %s", (_, x, weight, padding, message) => {
    const call = () =>
      torch.op("lyceum::conv2d", torch.ones(x), torch.ones(weight), undefined, [1, 1], padding, false);
    expect(call).toThrow(message);
  });
});

describe("Conv2d", () => {
  afterEach(() => setKernels("fast"));

  it("does the same in every order of memory, exactly or not", () => {
    const generator = new torch.Generator(3);
    const layer = new Conv2d(32, 64, 3, { padding: 1, generator });
    const x = torch.randn([3, 32, 9, 9], { generator });
    setKernels("libtorch");
    const libtorch = layer.forward(x);
    const of = { dtype: "float64" } as const;
    const exact = layer.to(of).forward(x.to(of));
    layer.to({ dtype: "float32" });
    for (const order of [rows, inBlocks]) {
      for (const choice of ["fast", "exact", "libtorch"] as const) {
        // libtorch knows of no blocks, and a build without oneDNN has only its convolutions.
        const own = choice !== "libtorch" && convolves("float32");
        if (!own && order === inBlocks) continue;
        setKernels(choice);
        expectAsExact(fromBlocks(layer.forward(order(x))), { libtorch, exact });
      }
    }
  });

  it("leaves what the prepared primitives cannot to ATen", () => {
    const generator = new torch.Generator(3);
    const x = rows(torch.randn([2, 8, 9, 9], { generator }));
    for (const options of [{ groups: 2 }, { dilation: 2 }, { padding: 3 }]) {
      const layer = new Conv2d(8, 4, 3, { ...options, generator });
      const exact = layer.to({ dtype: "float64" }).forward(x.to({ dtype: "float64" }));
      layer.to({ dtype: "float32" });
      const found = layer.forward(x);
      setKernels("libtorch");
      expectAsExact(found, { libtorch: layer.forward(x), exact });
      setKernels("fast");
    }
  });
});
