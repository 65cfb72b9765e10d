import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import * as torch from "../../torch/index.js";
import {
  AvgPool2d,
  applyInOrder,
  BatchNorm2d,
  Conv2d,
  DenseBlock,
  DenseLayer,
  DenseTransition,
  foldBatchNorm,
  GlobalAvgPool,
  Module,
  ReLU,
  setKernels,
} from "../index.js";
import { countOperators } from "../testing/count-operators.js";
import { nearestToZero } from "../testing/near-zero.js";
import { answerOf, expectTrainedAsExact, outcome } from "../testing/outcome.js";
import { randomNorm } from "../testing/random-norm.js";
import { expectAsExact } from "../testing/rounding.js";
import { hasDenseOperators } from "./build.js";
import { denseBlock } from "./dense-block.js";

const isFused = hasDenseOperators();

interface Shape {
  from: number;
  inner: number;
  growth: number;
  count: number;
  seed: number;
}

function layer(from: number, { inner, growth }: Shape, generator: torch.Generator): DenseLayer {
  return new DenseLayer({
    norm1: randomNorm(from, generator),
    conv1: new Conv2d(from, inner, 1, { bias: false, generator }),
    norm2: randomNorm(inner, generator),
    conv2: new Conv2d(inner, growth, 3, { padding: 1, bias: false, generator }),
  });
}

function blockOf(shape: Shape): DenseBlock {
  const generator = new torch.Generator(shape.seed);
  const { from, growth, count } = shape;
  return new DenseBlock(Array.from({ length: count }, (_, i) => layer(from + i * growth, shape, generator)));
}

/** What comes after a block: nothing, means over the image, or a transition. */
type After = "nothing" | "image" | "transition";

/** A block with what comes after it. */
class Network extends Module {
  readonly block: DenseBlock;
  readonly after: Module[];

  constructor(shape: Shape, after: After) {
    super();
    this.block = blockOf(shape);
    const width = shape.from + shape.count * shape.growth;
    const generator = new torch.Generator(shape.seed + 1);
    const norm = randomNorm(width, generator);
    const conv = () => new Conv2d(width, 8, 1, { bias: false, generator });
    if (after === "nothing") this.after = [];
    else if (after === "image") this.after = [norm, new ReLU(), new GlobalAvgPool()];
    else this.after = [new DenseTransition({ norm, conv: conv() })];
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return applyInOrder([this.block, ...this.after], x);
  }
}

/** Makes whole channels pass the ReLU that follows, or none of them: they lie twenty deviations from zero, or more. */
function keepFromZero(model: Module): void {
  for (const module of model.namedModules().values()) {
    if (!(module instanceof BatchNorm2d)) continue;
    torch.noGrad(() => {
      module.weight.mul_(0.5);
      module.bias.copy_(module.bias.sign().mul(15));
    });
  }
}

const images = (shape: readonly number[], seed: number) =>
  torch.randn([...shape], { generator: new torch.Generator(seed) }).contiguous("channelsLast");

const shapes = {
  batch: fc.integer({ min: 1, max: 9 }),
  from: fc.integer({ min: 1, max: 50 }),
  inner: fc.constantFrom(16, 32, 48, 64),
  growth: fc.integer({ min: 1, max: 16 }),
  count: fc.integer({ min: 1, max: 5 }),
  size: fc.tuple(fc.integer({ min: 2, max: 17 }), fc.integer({ min: 4, max: 17 })),
  seed: fc.integer({ min: 0, max: 1000 }),
  after: fc.constantFrom<After>("nothing", "image", "transition"),
};

it.skipIf(!isFused)("a frozen block in one operator is what its layers are in float64 (needs AVX2)", () => {
  fc.assert(
    fc.property(fc.record(shapes), ({ batch, size, after, ...shape }) => {
      torch.scope(() => {
        const network = foldBatchNorm(new Network(shape, after));
        const x = images([batch, shape.from, ...size], shape.seed);
        const found = countOperators(() => void torch.noGrad(() => network.forward(x)));
        expect(found.frozen_dense_block).toBe(1);
        expectAsExact(answerOf(network, x, { dtype: "float32", kernels: "fast" }), {
          libtorch: answerOf(network, x, { dtype: "float32", kernels: "libtorch" }),
          exact: answerOf(network, x, { dtype: "float64", kernels: "libtorch" }),
          layers: network.namedModules().size,
        });
      });
    }),
    { numRuns: 60 },
  );
});

it.skipIf(!isFused)(
  "a block in training in one operator is what its layers are in float64 (needs AVX2)",
  () => {
    const cases = fc.record({ ...shapes, threads: fc.integer({ min: 1, max: 3 }) });
    // Of many values some are always so near to zero that rounding decides what passes a ReLU, and either is right: large
    // blocks have channels that pass as a whole, or not at all.
    const small = cases
      .map((one) => ({ ...one, batch: Math.min(one.batch, 2), count: Math.min(one.count, 2), far: false }))
      .map((one) => ({ ...one, size: one.size.map((length) => Math.min(length, 6)) }));
    const large = cases.map((one) => ({ ...one, far: true }));
    const before = torch.getNumThreads();
    onTestFinished(() => torch.setNumThreads(before));
    fc.assert(
      fc.property(fc.oneof(small, large), ({ batch, size, after, threads, far, ...shape }) => {
        torch.setNumThreads(threads);
        torch.scope(() => {
          const x = images([batch, shape.from, ...size], shape.seed);
          const make = () => {
            const network = new Network(shape, after);
            if (far) keepFromZero(network);
            return network;
          };
          const nearest = nearestToZero(
            () => void outcome(make(), x, { dtype: "float64", kernels: "libtorch", gradients: false }),
          );
          fc.pre(nearest > 1e-4);
          const found = countOperators(() => void make().forward(x));
          expect(found.dense_block).toBe(1);
          expectTrainedAsExact(make, x);
        });
      }),
      { numRuns: 60 },
    );
  },
);

describe.skipIf(!isFused)("what goes together (needs AVX2)", () => {
  const shape = { from: 24, inner: 16, growth: 4, count: 2, seed: 1 };
  const layersOf = (block: DenseBlock) => block.layers() as [DenseLayer, DenseLayer];

  it("in training: layers and norms that are alike, windows that fill the image", () => {
    torch.scope(() => {
      const layers = layersOf(blockOf(shape));
      const x = images([2, 24, 6, 6], 1);
      expect(denseBlock(layers, x)?.requiresGrad).toBe(true);
      expect(layers[1].norm2.numBatchesTracked.item()).toBe(1);
      const norm = new BatchNorm2d(32).train();
      expect(denseBlock(layers, x, { norm, window: [3, 2] })?.shape).toEqual([2, 32, 2, 3]);
      expect(denseBlock(layers, x, { norm, window: [4, 2] })).toBeUndefined();
      expect(denseBlock(layers, x, { norm: norm.eval(), window: [3, 2] })).toBeUndefined();
      expect(denseBlock(layers, x, { norm: new BatchNorm2d(31), window: [3, 2] })).toBeUndefined();
      expect([layers[1].norm2, norm].map((each) => each.numBatchesTracked.item())).toEqual([2, 1]);
      layers[1].norm2.eval();
      expect(denseBlock(layers, x)).toBeUndefined();
      layers[1].norm2.train();
      expect(denseBlock(layers, x.to({ dtype: "float64" }))).toBeUndefined();
      expect(denseBlock([], x)).toBeUndefined();
      const other = layer(28, { ...shape, growth: 5 }, new torch.Generator(1));
      expect(denseBlock([layers[0], other], x)).toBeUndefined();
      const patched = layer(28, shape, new torch.Generator(1));
      patched.forward = (x) => x;
      expect(denseBlock([layers[0], patched], x)).toBeUndefined();
      expect(layers[1].norm2.numBatchesTracked.item()).toBe(2);
    });
  });

  it("frozen: none that is asked for a gradient, of exact kernels, or of a few pixels", () => {
    torch.scope(() => {
      const block = foldBatchNorm(blockOf(shape));
      const layers = layersOf(block);
      const x = images([2, 24, 6, 6], 1);
      expect(denseBlock(layers, x)?.shape).toEqual([2, 32, 6, 6]);
      expect(denseBlock(layers, images([2, 24, 1, 5], 1))).toBeUndefined();
      expect(denseBlock(layers, x.detach().clone().requiresGrad_())).toBeUndefined();
      setKernels("exact");
      try {
        expect(denseBlock(layers, x)).toBeUndefined();
      } finally {
        setKernels("fast");
      }
      block.requiresGrad_();
      expect(denseBlock(layers, x)).toBeUndefined();
      expect(block.forward(x).requiresGrad).toBe(true);
      block.requiresGrad_(false).train();
      expect(denseBlock(layers, x)).toBeUndefined();
    });
  });

  it("passes values that are no numbers on where libtorch does", () => {
    torch.scope(() => {
      const x = images([2, 24, 6, 6], 1);
      x.select(1, 3).fill_(Number.NaN);
      const [found, expected] = (["fast", "libtorch"] as const).map((kernels) =>
        outcome(blockOf(shape), x, { dtype: "float32", kernels }),
      );
      for (const [name, value] of expected!) {
        expect(found!.get(name)!.isnan().equal(value.isnan()), name).toBe(true);
      }
    });
  });
});

it("layers of a user's own class go by their own forward", () => {
  torch.scope(() => {
    let calls = 0;
    class Mine extends DenseLayer {
      override forward(x: torch.Tensor): torch.Tensor {
        calls++;
        return super.forward(x).mul(2);
      }
    }
    const shape = { from: 24, inner: 16, growth: 4, count: 1, seed: 1 };
    const [own] = blockOf(shape).layers() as [DenseLayer];
    const mine = new Mine(own);
    const x = images([2, 24, 6, 6], 1);
    const doubled = own.eval().forward(x).mul(2);
    expect(new DenseBlock([mine]).eval().forward(x).equal(doubled)).toBe(true);
    expect(calls).toBe(1);
    // It names no pair: what its forward does is not known.
    expect(foldBatchNorm(mine).forward(x).equal(doubled)).toBe(true);
  });
});

it("a transition is its layers, whatever stands before it, and drops the last odd row", () => {
  torch.scope(() => {
    const generator = new torch.Generator(1);
    const [norm, conv] = [randomNorm(24, generator), new Conv2d(24, 8, 1, { bias: false, generator })];
    const transition = new DenseTransition({ norm, conv });
    const x = images([2, 24, 7, 6], 1);
    const plain = (x: torch.Tensor) => new AvgPool2d(2).forward(conv.forward(norm.forward(x).relu()));
    expect(transition.eval().forward(x).shape).toEqual([2, 8, 3, 3]);
    const found = torch.noGrad(() => transition.forward(x));
    setKernels("libtorch");
    try {
      const libtorch = torch.noGrad(() => plain(x));
      transition.to({ dtype: "float64" });
      const exact = torch.noGrad(() => plain(x.to({ dtype: "float64" })));
      expectAsExact(found, { libtorch, exact });
    } finally {
      setKernels("fast");
    }
  });
});

it.skipIf(!isFused)("what does not fit in training is refused in words (needs AVX2)", () => {
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

it.skipIf(!isFused)("what does not fit is refused in words (needs AVX2)", () => {
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
