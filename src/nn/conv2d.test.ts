import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { blocked, Conv2d, channelsOf, eachBlock, isBlocked, setKernels } from "./index.js";
import { isPrepared } from "./prepared.js";

interface Case {
  batch: number;
  channels: number;
  filters: number;
  size: [number, number];
  window: number;
  stride: number;
  padding: number;
  bias: boolean;
  /** Of the weights. */
  order: "contiguous" | "channelsLast";
  seed: number;
}

type Order = (x: torch.Tensor) => torch.Tensor;
const rows: Order = (x) => x.contiguous("channelsLast");
const inBlocks: Order = (x) => {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return x
    .reshape([n, c / 16, 16, h, w])
    .permute([0, 1, 3, 4, 2])
    .contiguous();
};
const plain: Order = (x) =>
  isBlocked(x) ? x.permute([0, 1, 4, 2, 3]).reshape([x.shape[0]!, channelsOf(x), ...x.shape.slice(2, 4)]) : x;

/**
 * The largest difference of the result and of each gradient from ATen's convolution in float64, relative to the
 * largest sum of the absolute values of the products that are added up: what rounding may grow with. The sums
 * themselves may cancel to nothing.
 */
function difference(options: Case, order: Order, coarse = false): number {
  const { batch, channels, filters, size, window, stride, padding, bias, seed } = options;
  return torch.scope(() => {
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
    const expected = run("float64", aten);
    const scales = run("float64", aten, (x) => x.abs());
    const found = run("float32", (x, weight, bias) =>
      plain(torch.op("lyceum::conv2d", order(x), weight, bias, strides, paddings, coarse)).to({
        dtype: "float32",
      }),
    );
    const differences = expected.map((one, i) =>
      one.numel === 0 ? 0 : found[i]!.sub(one).abs().max().item() / (scales[i]!.max().item() || 1),
    );
    return Math.max(...differences);
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

describe.skipIf(!torch.hasOperator("lyceum::conv2d"))("lyceum::conv2d", () => {
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
        expect(difference(options, rows)).toBeLessThan(2e-6);
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
        expect(difference(options, inBlocks)).toBeLessThan(2e-6);
      }),
      { numRuns: 40 },
    );
  });

  it("rounds no more coarsely than stated where that is allowed", () => {
    const channels = fc.constantFrom(16, 32, 48, 64, 80, 128);
    const batch = fc.integer({ min: 1, max: 24 });
    const cases = fc.record({ ...sizes, batch, channels, filters: channels });
    fc.assert(
      fc.property(cases, (drawn) => {
        const options = { ...drawn, window: 3, stride: 1, padding: 1 };
        expect(difference(options, inBlocks, true)).toBeLessThan(2e-6);
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
    expect(difference(one, (x) => x.transpose(2, 3).contiguous().transpose(2, 3))).toBeLessThan(2e-6);
  });

  it.skipIf(!isPrepared("bfloat16"))("computes bfloat16 to its 8 bits", () => {
    const half: Order = (x) => rows(x.to({ dtype: "bfloat16" }));
    const found = difference({ ...one, channels: 32, filters: 48, size: [9, 9] }, half);
    expect(found).toBeLessThan(2 ** -7);
    expect(found).toBeGreaterThan(2 ** -12);
  });

  it("takes an empty batch", () => {
    expect(difference({ ...one, batch: 0 }, rows)).toBe(0);
    expect(difference({ ...one, batch: 0 }, inBlocks)).toBe(0);
  });

  it("works with another number of threads than it was prepared for", () => {
    const before = torch.getNumThreads();
    try {
      for (const threads of [1, 3, 2, 1]) {
        torch.setNumThreads(threads);
        expect(difference({ ...one, batch: 5 }, rows)).toBeLessThan(2e-6);
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
    const expected = layer.forward(x);
    for (const order of [rows, inBlocks]) {
      for (const choice of ["fast", "exact", "libtorch"] as const) {
        // libtorch knows of no blocks, and a build without oneDNN has only its convolutions.
        const own = choice !== "libtorch" && isPrepared("float32");
        if (!own && order === inBlocks) continue;
        setKernels(choice);
        expect(
          plain(layer.forward(order(x)))
            .sub(expected)
            .abs()
            .max()
            .item(),
        ).toBeLessThan(1e-5);
      }
    }
  });

  it("leaves what the prepared primitives cannot to ATen", () => {
    const generator = new torch.Generator(3);
    const x = rows(torch.randn([2, 8, 9, 9], { generator }));
    for (const options of [{ groups: 2 }, { dilation: 2 }, { padding: 3 }]) {
      const layer = new Conv2d(8, 4, 3, { ...options, generator });
      const exact = layer.to({ dtype: "float64" }).forward(x.to({ dtype: "float64" }));
      const found = layer.to({ dtype: "float32" }).forward(x);
      expect(found.sub(exact).abs().max().item()).toBeLessThan(1e-5);
    }
  });
});

describe("blocked", () => {
  it("leaves what does not come in blocks as it is", () => {
    for (const x of [torch.ones([2, 24, 4, 4]), torch.ones([2, 16, 4, 4], { dtype: "float64" })]) {
      expect(blocked(x)).toBe(x);
    }
  });

  it("keeps what is done to each channel by itself", () => {
    const x = torch.randn([2, 48, 6, 6], { generator: new torch.Generator(1) });
    const pool = (x: torch.Tensor) => torch.maxPool2d(x, 3, 2, 1);
    const found = eachBlock(inBlocks(x), pool);
    expect(isBlocked(found)).toBe(true);
    expect(plain(found).sub(pool(x)).abs().max().item()).toBe(0);
  });
});
