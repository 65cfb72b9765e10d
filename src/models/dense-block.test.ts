import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { BatchNorm2d, Conv2d, foldBatchNorm, Module, setKernels } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { type Averages, DenseBlock, frozenDenseBlock, trainedDenseBlock } from "./dense-block.js";

function normOf(channels: number, generator: torch.Generator): BatchNorm2d {
  const made = new BatchNorm2d(channels);
  torch.noGrad(() => {
    made.weight.uniform_(0.5, 1.5, { generator });
    made.bias.uniform_(-1, 1, { generator });
    made.runningMean.uniform_(-1, 1, { generator });
    made.runningVar.uniform_(0.5, 2, { generator });
  });
  return made;
}

class Layer extends Module {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  constructor(from: number, inner: number, growth: number, generator: torch.Generator) {
    super();
    this.norm1 = normOf(from, generator);
    this.conv1 = new Conv2d(from, inner, 1, { bias: false, generator });
    this.norm2 = normOf(inner, generator);
    this.conv2 = new Conv2d(inner, growth, 3, { padding: 1, bias: false, generator });
  }

  override batchNormPairs() {
    return [["conv1", "norm2"]] as const;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    const squeezed = this.norm2.forward(this.conv1.forward(this.norm1.forward(x, { relu: true })), {
      relu: true,
    });
    return torch.cat([x, this.conv2.forward(squeezed)], 1);
  }
}

function trainedBlockOf(
  from: number,
  inner: number,
  growth: number,
  count: number,
  seed: number,
): DenseBlock {
  const generator = new torch.Generator(seed);
  const layers = Array.from(
    { length: count },
    (_, i) => new Layer(from + i * growth, inner, growth, generator),
  );
  return new DenseBlock(layers).train();
}

const blockOf = (...given: Parameters<typeof trainedBlockOf>) =>
  foldBatchNorm(trainedBlockOf(...given).eval());

const layersOf = (block: DenseBlock, count: number) =>
  Array.from({ length: count }, (_, i) => block[`denselayer${i + 1}`] as Layer);

const images = (shape: number[], seed: number) =>
  torch.randn(shape, { generator: new torch.Generator(seed) }).to({ memoryFormat: "channelsLast" });

const isFused = torch.hasOperator("lyceum::frozen_dense_block") && torch.op("lyceum::isa") !== "none";

it.skipIf(!isFused)("a frozen block in one operator is what its layers are in float64", () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 9 }),
    from: fc.integer({ min: 1, max: 50 }),
    inner: fc.constantFrom(16, 32, 48, 64),
    growth: fc.integer({ min: 1, max: 16 }),
    count: fc.integer({ min: 1, max: 5 }),
    size: fc.tuple(fc.integer({ min: 2, max: 17 }), fc.integer({ min: 4, max: 17 })),
    seed: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(cases, ({ batch, from, inner, growth, count, size, seed }) => {
      torch.noGrad(() =>
        torch.scope(() => {
          const block = blockOf(from, inner, growth, count, seed);
          const layers = layersOf(block, count);
          const x = images([batch, from, ...size], seed);
          const found = frozenDenseBlock(layers, x);
          const norm = normOf(from + count * growth, new torch.Generator(seed)).eval();
          const means = frozenDenseBlock(layers, x, { norm, window: size });
          expect(found?.shape).toEqual([batch, from + count * growth, ...size]);
          expect(means?.shape).toEqual([batch, from + count * growth, 1, 1]);
          const of = { dtype: "float64" } as const;
          const expected = block.to(of).forward(x.to(of));
          const expectedMeans = norm.to(of).forward(expected, { relu: true }).mean([2, 3], true);
          for (const [one, other] of [[found!, expected] as const, [means!, expectedMeans] as const]) {
            const away = one.sub(other).abs().max().item() / other.abs().max().item();
            expect(away).toBeLessThan(1e-5);
          }
        }),
      );
    }),
    { numRuns: 60 },
  );
});

/** Windows of another height than width, which `AvgPool2d` has not. */
class Pool extends Module {
  constructor(readonly window: readonly [number, number]) {
    super();
  }
  override forward(x: torch.Tensor): torch.Tensor {
    return torch.avgPool2d(x, this.window);
  }
}

const forwardPooled = (block: DenseBlock, x: torch.Tensor, { norm, window }: Averages) =>
  block.forwardPooled(x, norm, new Pool(window), window);

/** What training has of a block: its result, all gradients, the averages. */
function trained(
  block: DenseBlock,
  x: torch.Tensor,
  dy: torch.Tensor,
  after?: Averages,
): Map<string, torch.Tensor> {
  const input = x.detach().clone().requiresGrad_();
  const y = after ? forwardPooled(block, input, after) : block.forward(input);
  y.backward(dy);
  const found = new Map([
    ["y", y.detach()],
    ["x", input.grad!],
  ]);
  for (const [module, prefix] of [
    [block, ""] as const,
    ...(after ? [[after.norm, "after."] as const] : []),
  ]) {
    for (const [name, parameter] of module.namedParameters()) found.set(prefix + name, parameter.grad!);
    for (const [name, buffer] of module.namedBuffers()) found.set(prefix + name, buffer);
  }
  return found;
}

/** Six deviations or more: whole channels are passed by the ReLU that follows, or none of them. */
function keepFromZero({ weight, bias }: BatchNorm2d): void {
  torch.noGrad(() => {
    weight.mul_(0.5);
    bias.copy_(bias.sign().mul(10));
  });
}

/** How near to zero any value comes that goes through a ReLU. */
function nearestToZero(layers: readonly Layer[], x: torch.Tensor): number {
  let [y, nearest] = [x, Number.POSITIVE_INFINITY];
  const seen = (value: torch.Tensor) => {
    nearest = Math.min(nearest, value.abs().min().item());
    return value.relu();
  };
  for (const { norm1, conv1, norm2, conv2 } of layers) {
    const squeezed = conv1.forward(seen(norm1.forward(y)));
    y = torch.cat([y, conv2.forward(seen(norm2.forward(squeezed)))], 1);
  }
  return nearest;
}

it.skipIf(!isFused)("a block in training in one operator is what its layers are in float64", () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 9 }),
    from: fc.integer({ min: 1, max: 50 }),
    inner: fc.constantFrom(16, 32, 48, 64),
    growth: fc.integer({ min: 1, max: 16 }),
    count: fc.integer({ min: 1, max: 5 }),
    size: fc.tuple(fc.integer({ min: 2, max: 17 }), fc.integer({ min: 4, max: 17 })),
    seed: fc.integer({ min: 0, max: 1000 }),
    // Of each image: all of it, or where it can be halved.
    window: fc.constantFrom(undefined, "image", "half"),
    threads: fc.integer({ min: 1, max: 3 }),
  });
  // Large ones have channels that pass as a whole, or not at all: of many values some are always so near to zero that
  // rounding decides what passes, and either is right.
  const small = cases
    .map((one) => ({ ...one, batch: Math.min(one.batch, 2), count: Math.min(one.count, 2), far: false }))
    .map((one) => ({ ...one, size: one.size.map((length) => Math.min(length, 6)) }));
  const large = cases.map((one) => ({ ...one, far: true }));
  const before = torch.getNumThreads();
  onTestFinished(() => torch.setNumThreads(before));
  fc.assert(
    fc.property(
      fc.oneof(small, large),
      ({ batch, from, inner, growth, count, size, seed, window, threads, far }) => {
        torch.setNumThreads(threads);
        const [height, width] = size.map((length) => (window === "half" && length % 2 === 0 ? 2 : length));
        const averages = window && ([height!, width!] as const);
        const left = averages ? size.map((length, i) => length / averages[i]!) : size;
        torch.scope(() => {
          const x = images([batch, from, ...size], seed);
          const dy = images([batch, from + count * growth, ...left], seed + 1);
          const [block, double, other] = [1, 2, 3].map(() => {
            const made = trainedBlockOf(from, inner, growth, count, seed);
            if (far) for (const { norm1, norm2 } of layersOf(made, count)) [norm1, norm2].map(keepFromZero);
            return made;
          });
          const of = { dtype: "float64" } as const;
          fc.pre(nearestToZero(layersOf(other!.to(of), count), x.to(of)) > 1e-4);
          const norms = [block!, double!].map(() => normOf(from + count * growth, new torch.Generator(seed)));
          norms.map(keepFromZero);
          const found = trained(block!, x, dy, averages && { norm: norms[0]!, window: averages });
          norms[1]!.to(of);
          const after = averages && { norm: norms[1]!, window: averages };
          const expected = trained(double!.to(of), x.to(of), dy.to(of), after);
          expect([...found.keys()]).toEqual([...expected.keys()]);
          // Where a ReLU passes all of a channel or none, much of a gradient cancels.
          const [floor, most] = far || averages ? [1, 1e-2] : [1e-3, 1e-3];
          for (const name of ["y", "x"])
            expect(found.get(name)!.isContiguous("channelsLast"), name).toBe(true);
          for (const [name, value] of expected) {
            const away = found.get(name)!.sub(value).abs().max().item() / (value.abs().max().item() + floor);
            expect(away, name).toBeLessThan(most);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

it.skipIf(!isFused)("a block in training, one that cannot be fused, and values that are no numbers", () => {
  torch.scope(() => {
    const layers = layersOf(trainedBlockOf(24, 16, 4, 2, 1), 2);
    const x = images([2, 24, 6, 6], 1);
    expect(trainedDenseBlock(layers, x)?.requiresGrad).toBe(true);
    expect(layers[1]!.norm2.numBatchesTracked.item()).toBe(1);
    const norm = new BatchNorm2d(32).train();
    expect(trainedDenseBlock(layers, x, { norm, window: [3, 2] })?.shape).toEqual([2, 32, 2, 3]);
    expect(trainedDenseBlock(layers, x, { norm, window: [4, 2] })).toBeUndefined();
    expect(trainedDenseBlock(layers, x, { norm: norm.eval(), window: [3, 2] })).toBeUndefined();
    expect([layers[1]!.norm2, norm].map((each) => each.numBatchesTracked.item())).toEqual([2, 1]);
    layers[1]!.norm2.eval();
    expect(trainedDenseBlock(layers, x)).toBeUndefined();
    layers[1]!.norm2.train();
    expect(trainedDenseBlock(layers, x.to({ dtype: "float64" }))).toBeUndefined();
    const other = new Layer(28, 16, 5, new torch.Generator(1)).train();
    expect(trainedDenseBlock([layers[0]!, other], x)).toBeUndefined();
    expect(layers[1]!.norm2.numBatchesTracked.item()).toBe(2);

    const spoilt = x.clone();
    spoilt.select(1, 3).fill_(Number.NaN);
    const [found, expected] = (["fast", "libtorch"] as const).map((kernels) => {
      setKernels(kernels);
      try {
        return trained(trainedBlockOf(24, 16, 4, 2, 1), spoilt, torch.onesLike(images([2, 32, 6, 6], 1)));
      } finally {
        setKernels("fast");
      }
    });
    for (const [name, value] of expected!) {
      expect(found!.get(name)!.isnan().equal(value.isnan()), name).toBe(true);
    }
  });
});

it("a block that is trained, or of exact kernels, or of a few pixels, goes layer by layer", () => {
  torch.scope(() => {
    const block = blockOf(24, 16, 4, 2, 1);
    const layers = [block.denselayer1, block.denselayer2] as Layer[];
    const x = images([2, 24, 6, 6], 1);
    const answer = block.forward(x);
    expect(frozenDenseBlock(layers, images([2, 24, 1, 5], 1))).toBeUndefined();
    expect(frozenDenseBlock(layers, x.detach().clone().requiresGrad_())).toBeUndefined();
    setKernels("exact");
    try {
      expect(frozenDenseBlock(layers, x)).toBeUndefined();
      expect(block.forward(x).sub(answer).abs().max().item()).toBeLessThan(1e-4);
    } finally {
      setKernels("fast");
    }
    block.train();
    expect(frozenDenseBlock(layers, x)).toBeUndefined();
  });
});

it.skipIf(!isFused)("what does not fit in training is refused in words", () => {
  torch.scope(() => {
    const [x, one, many] = [torch.ones([2, 16, 4, 4]), torch.ones([16]), torch.ones([20])];
    const [narrow, wide] = [torch.ones([16, 16, 1, 1]), torch.ones([4, 16, 3, 3])];
    const parameters = [one, one, narrow, one, one, wide];
    const call = (x: torch.Tensor, ...given: unknown[]) =>
      torch.op("lyceum::dense_block", x, ...given, 0.1, 1e-5) as torch.Tensor;
    const averages = [0, 1, 2, 3].map(() => torch.ones([16]));
    expect(call(x, parameters, averages, []).shape).toEqual([2, 20, 4, 4]);
    const [more, last] = [
      [...parameters, many, many],
      [...averages, torch.ones([20]), torch.ones([20])],
    ];
    expect(call(x, more, last, [2, 4]).shape).toEqual([2, 20, 2, 1]);
    expect(() => call(x, more, last, [])).toThrow(/two of each with a window/);
    expect(() => call(x, more, last, [3, 4])).toThrow(/must divide images of 4x4/);
    expect(() => call(x, more, last, [2])).toThrow(/must divide images of 4x4/);
    expect(() => call(x, [], [], [])).toThrow(/six parameters and four averages/);
    expect(() => call(x, [...parameters, one, one], last, [2, 2])).toThrow(/last norm's must be .*\[20\]/);
    expect(() => call(x, parameters.with(3, many), averages, [])).toThrow(/second norm's must be .*\[16\]/);
    expect(() => call(x, parameters, averages.with(0, many), [])).toThrow(
      /each of averages must be .*\[16\]/,
    );
    expect(() => call(torch.ones([0, 16, 4, 4]), parameters, averages, [])).toThrow(/no images/);
    expect(() => call(x.to({ dtype: "float64" }), parameters, averages, [])).toThrow(/x must be float32/);
  });
});

it.skipIf(!isFused)("what does not fit is refused in words", () => {
  torch.scope(() => {
    const [x, one, weight] = [torch.ones([1, 16, 4, 4]), torch.ones([16]), torch.ones([16, 16, 1, 1])];
    const call = (...given: unknown[]) =>
      torch.noGrad(() => torch.op("lyceum::frozen_dense_block", ...given, [], 1e-5) as torch.Tensor);
    const wide = torch.ones([4, 16, 3, 3]);
    expect(call(x, [one, one, one, one], [weight, wide], [one]).shape).toEqual([1, 20, 4, 4]);
    expect(() => call(x, [one, one], [weight, wide], [one])).toThrow(/four of norms/);
    expect(() => call(x, [one, one, one, torch.ones([3])], [weight, wide], [one])).toThrow(/float32 \[16\]/);
    expect(() => call(x, [one, one, one, one], [wide, wide], [one])).toThrow(/a weight must be/);
    const tall = torch.ones([32, 16, 3, 3]);
    expect(() => call(x, [one, one, one, one], [weight, tall], [one])).toThrow(/grow by 1 to 16/);
    const huge = torch.empty([0, 16, 2 ** 21, 2 ** 21]);
    expect(() => call(huge, [one, one, one, one], [weight, wide], [one])).toThrow(/too large/);
    const few = torch.ones([1, 16, 1, 2]);
    expect(() => call(few, [one, one, one, one], [weight, wide], [one])).toThrow(/8 pixels or more/);
  });
});
