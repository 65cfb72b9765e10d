import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { settled } from "../../torch/testing/settled.js";
import {
  BasicBlock,
  Conv2d,
  foldBatchNorm,
  OptionAShortcut,
  ReLU,
  ResidualStage,
  Sequential,
} from "../index.js";
import { countOperators } from "../testing/count-operators.js";
import { nearestToZero } from "../testing/near-zero.js";
import { answerOf, expectTrainedAsExact, outcome } from "../testing/outcome.js";
import { randomNorm } from "../testing/random-norm.js";
import { expectAsExact } from "../testing/rounding.js";
import { toBlocks } from "./blocks.js";
import { hasOwnKernels, hasResidualOperators } from "./build.js";
import { frozenBlocks, trainedBlocks } from "./residual-blocks.js";

const isFused = hasResidualOperators() && hasOwnKernels();

const norm = (channels: number, generator: torch.Generator) => randomNorm(channels, generator, [0.2, 1]);

interface Shape {
  from: number;
  to: number;
  stride: number;
  /** What fits the shortcut where the shape changes. */
  fit: "option A" | "convolution";
}

function block({ from, to, stride, fit }: Shape, generator: torch.Generator): BasicBlock {
  const convolution = (from: number, window: number, stride: number) =>
    new Conv2d(from, to, window, { stride, padding: (window - 1) / 2, bias: false, generator });
  const layers = {
    conv1: convolution(from, 3, stride),
    bn1: norm(to, generator),
    conv2: convolution(to, 3, 1),
    bn2: norm(to, generator),
  };
  if (from === to && stride === 1) return new BasicBlock(layers);
  const downsample =
    fit === "option A" && from <= to
      ? new OptionAShortcut(to, { stride })
      : new Sequential(convolution(from, 1, stride), norm(to, generator));
  return new BasicBlock({ ...layers, downsample });
}

interface Case extends Shape {
  count: number;
  batch: number;
  size: [number, number];
  seed: number;
}

function stageOf({ count, seed, ...shape }: Pick<Case, "count" | "seed"> & Shape): ResidualStage {
  const generator = new torch.Generator(seed);
  const { to, fit } = shape;
  const blocks = Array.from({ length: count }, (_, i) =>
    block(i === 0 ? shape : { from: to, to, stride: 1, fit }, generator),
  );
  return new ResidualStage(...blocks);
}

const images = ({ batch, from, size, seed }: Case) =>
  torch
    .randn([batch, from, ...size], { generator: new torch.Generator(seed + 1) })
    .contiguous("channelsLast");

const shapes = {
  from: fc.constantFrom(16, 32),
  to: fc.constantFrom(16, 32, 48),
  stride: fc.constantFrom(1, 2),
  fit: fc.constantFrom("option A" as const, "convolution" as const),
  seed: fc.integer({ min: 0, max: 1000 }),
};
const sizes = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

describe("basic blocks in training", () => {
  it("are what their layers are in float64, at any size", () => {
    const count = fc.integer({ min: 1, max: 4 });
    const batch = fc.integer({ min: 2, max: 9 });
    fc.assert(
      fc.property(fc.record({ ...shapes, count, batch, size: sizes(3, 20) }), (options) => {
        torch.scope(() =>
          expectTrainedAsExact(() => stageOf(options), images(options), { gradients: false }),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("have their gradients too", () => {
    const count = fc.integer({ min: 1, max: 3 });
    const batch = fc.integer({ min: 2, max: 3 });
    fc.assert(
      fc.property(fc.record({ ...shapes, count, batch, size: sizes(3, 6) }), (options) => {
        torch.scope(() => {
          const x = images(options);
          const nearest = nearestToZero(
            () =>
              void outcome(stageOf(options), x, { dtype: "float64", kernels: "libtorch", gradients: false }),
          );
          fc.pre(nearest > 1e-4);
          expectTrainedAsExact(() => stageOf(options), x);
        });
      }),
      { numRuns: 20 },
    );
  });

  it.skipIf(!isFused)("are computed together to the same bits as one by one (needs AVX2)", () => {
    fc.assert(
      fc.property(fc.record({ ...shapes, size: sizes(3, 20) }), (options) => {
        torch.scope(() => {
          const all = { ...options, count: 3, batch: 4 };
          const { y: x } = toBlocks(images(all));
          const [together, apart] = [stageOf(all).parts(), stageOf(all).parts()];
          const found = trainedBlocks(together, x);
          expect(found?.count).toBe(3);
          let y = x;
          for (const one of apart) y = trainedBlocks([one], y)!.y;
          expect(found!.y.equal(y)).toBe(true);
        });
      }),
      { numRuns: 10 },
    );
  });

  it("count batches, and refuse one value a channel", () => {
    torch.scope(() => {
      const stage = stageOf({ from: 16, to: 16, stride: 1, fit: "option A", count: 2, seed: 1 });
      stage.forward(torch.ones([2, 16, 4, 4]));
      const tracked = [...stage.namedBuffers()].filter(([name]) => name.endsWith("tracked"));
      expect(tracked.map(([, count]) => count.item())).toEqual([1, 1, 1, 1]);
      expect(() => stage.forward(torch.ones([1, 16, 1, 1]))).toThrow(/cannot train on one value a channel/);
    });
  });

  it.skipIf(!isFused)("say that they have no second derivative (needs AVX2)", () => {
    torch.scope(() => {
      const stage = stageOf({ from: 16, to: 16, stride: 1, fit: "option A", count: 2, seed: 1 });
      const x = torch.randn([2, 16, 4, 4], { generator: new torch.Generator(1) }).requiresGrad_();
      const y = stage.forward(x);
      expect(() => torch.grad([y.sum()], [x], { createGraph: true })).toThrow(
        /no second derivative.*float64/,
      );
    });
  });

  it("take an empty batch in evaluation", () => {
    const stage = stageOf({ from: 16, to: 32, stride: 2, fit: "option A", count: 2, seed: 1 }).eval();
    expect(stage.forward(torch.ones([0, 16, 4, 4])).shape).toEqual([0, 32, 2, 2]);
    expect(foldBatchNorm(stage).forward(torch.ones([0, 16, 4, 4])).shape).toEqual([0, 32, 2, 2]);
  });

  it.skipIf(!isFused)("go together as far as they are alike (needs AVX2)", () => {
    torch.scope(() => {
      const shape = { from: 16, to: 16, stride: 1, fit: "option A" } as const;
      const make = () => stageOf({ ...shape, count: 4, seed: 1 }).parts() as BasicBlock[];
      const x = toBlocks(torch.randn([2, 16, 4, 4], { generator: new torch.Generator(1) })).y;
      const count = (change: (block: BasicBlock) => void) => {
        const blocks = make();
        change(blocks[2]!);
        return trainedBlocks(blocks, x)?.count;
      };
      expect(count(() => {})).toBe(4);
      expect(count(({ bn2 }) => Object.assign(bn2, { eps: 1e-3 }))).toBe(2);
      expect(count(({ bn1, bn2 }) => [bn1, bn2].map((bn) => Object.assign(bn, { momentum: 0.2 })))).toBe(2);
      expect(count(({ bn1 }) => bn1.eval())).toBe(2);
      expect(count((one) => Object.assign(one, { downsample: new ReLU() }))).toBe(2);
      expect(count(({ conv1 }) => Object.assign(conv1, { stride: 2 }))).toBe(2);
      expect(count((one) => Object.assign(one, { forward: (x: torch.Tensor) => x }))).toBe(2);
    });
  });
});

/** What a frozen network answers in float32, and what it answers layer by layer, by libtorch and in float64. */
function expectFrozenAsExact(frozen: Sequential, x: torch.Tensor): void {
  const found = answerOf(frozen, x, { dtype: "float32", kernels: "fast" });
  const exact = answerOf(frozen, x, { dtype: "float64", kernels: "libtorch" });
  const libtorch = answerOf(frozen, x, { dtype: "float32", kernels: "libtorch" });
  expectAsExact(found, { libtorch, exact, layers: frozen.namedModules().size });
}

describe("frozen basic blocks", () => {
  it.each([
    { from: 16, to: 16, stride: 1, count: 4, size: [9, 14], batch: 7 },
    { from: 16, to: 32, stride: 2, count: 3, size: [16, 16], batch: 5 },
    { from: 32, to: 32, stride: 1, count: 5, size: [16, 16], batch: 4 },
    { from: 32, to: 64, stride: 2, count: 3, size: [16, 16], batch: 9 },
    { from: 64, to: 64, stride: 1, count: 3, size: [8, 8], batch: 13 },
    { from: 128, to: 128, stride: 1, count: 2, size: [8, 8], batch: 6 },
  ] as const)("from $from to $to channels by stride $stride answer as their layers", (options) => {
    torch.scope(() => {
      for (const fit of ["option A", "convolution"] as const) {
        const stage = foldBatchNorm(stageOf({ ...options, fit, seed: 1 }));
        expectFrozenAsExact(stage, images({ ...options, fit, seed: 1, size: [...options.size] }));
      }
    });
  });

  it.each([16, 128])(
    "of %i channels see weights that are written to, and take batches of any size",
    (channels) => {
      torch.scope(() => {
        const generator = new torch.Generator(2);
        const shape = { from: channels, to: channels, stride: 1, fit: "option A" } as const;
        const stage = foldBatchNorm(stageOf({ ...shape, count: 2, seed: 2 }));
        const check = (...shape: number[]) => {
          expectFrozenAsExact(stage, torch.randn(shape, { generator }).contiguous("channelsLast"));
        };
        for (const batch of [3, 1, 5, 3]) check(batch, channels, 16, 16);
        check(4, channels, 7, 9);
        torch.noGrad(() => stage.namedParameters().get("1.bn2.convolution.weight")!.mul_(-2));
        check(3, channels, 16, 16);
      });
    },
  );

  it.each([
    [3, 16, 5, [32, 32]],
    [1, 16, 7, [28, 28]],
    [3, 32, 4, [13, 35]],
    [1, 16, 60, [5, 3]],
    // Of so many channels, and so few tiles, the operator goes layer by layer.
    [2, 16, 5, [16, 16]],
    [3, 16, 2, [9, 7]],
  ] as const)("take a first layer from %i to %i channels with them, %i images of %j", (...given) => {
    const [channels, to, batch, size] = given;
    torch.scope(() => {
      const generator = new torch.Generator(3);
      const stem = new Conv2d(channels, to, 3, { padding: 1, bias: false, generator });
      const stage = stageOf({ from: to, to, stride: 1, fit: "option A", count: 2, seed: 3 });
      const network = foldBatchNorm(new Sequential(stem, norm(to, generator), new ReLU(), stage));
      const x = torch.randn([batch, channels, ...size], { generator }).contiguous("channelsLast");
      if (isFused) {
        const counts = countOperators(() => void torch.noGrad(() => network.forward(x)));
        expect(counts).toEqual({ frozen_stage: 1 });
      }
      expectFrozenAsExact(network, x);
    });
  });

  it.skipIf(!isFused)("leave their input alone unless it is given up (needs AVX2)", () => {
    torch.scope(() => {
      const stage = foldBatchNorm(
        stageOf({ from: 32, to: 32, stride: 1, fit: "option A", count: 2, seed: 1 }),
      );
      const { y: x } = toBlocks(torch.randn([2, 32, 8, 8], { generator: new torch.Generator(1) }));
      const before = x.clone();
      const kept = frozenBlocks(stage.parts(), x, false)!;
      expect([kept.count, x.equal(before)]).toEqual([2, true]);
      const given = frozenBlocks(stage.parts(), x, true)!;
      expect(given.y).toBe(x);
      expect(given.y.equal(kept.y)).toBe(true);
    });
  });

  it("can be trained on, once their weights ask for gradients", () => {
    torch.scope(() => {
      const stage = foldBatchNorm(
        stageOf({ from: 16, to: 16, stride: 1, fit: "option A", count: 2, seed: 1 }),
      );
      stage.requiresGrad_();
      stage
        .forward(torch.ones([2, 16, 4, 4]))
        .sum()
        .backward();
      const weight = stage.namedParameters().get("0.bn1.convolution.weight")!;
      expect(weight.grad?.shape).toEqual([16, 16, 3, 3]);
    });
  });

  it("take what was made of their weights with them when they are disposed", () => {
    const once = (seed: number) =>
      torch.scope(() => {
        const shape = { from: 64, to: 64, stride: 1, fit: "option A" } as const;
        const frozen = foldBatchNorm(stageOf({ ...shape, count: 4, seed }));
        torch.noGrad(() => void frozen.forward(torch.ones([16, 64, 8, 8])));
        frozen.dispose();
      });
    const tensors = () => settled().tensors;
    once(0);
    const before = tensors();
    for (let i = 0; i < 5; i++) once(i);
    // What earlier tests left may be collected meanwhile.
    expect(tensors()).toBeLessThanOrEqual(before);
    const bytes = () => process.memoryUsage().rss;
    const resident = bytes();
    // Each leaves 4.7 MB of transformed weights behind if nobody forgets them: 188 MB.
    for (let i = 0; i < 40; i++) once(i);
    expect(bytes() - resident).toBeLessThan(94e6);
  });
});

describe.skipIf(!isFused)("in blocks of channels (needs AVX2)", () => {
  it("a stage is computed by few operators", () => {
    torch.scope(() => {
      const shape = { from: 16, to: 32, stride: 2, fit: "option A", count: 3, seed: 1 } as const;
      const stage = stageOf(shape);
      const x = torch.randn([2, 16, 8, 8], { generator: new torch.Generator(1) }).contiguous("channelsLast");
      const trained = countOperators(() => void stage.forward(x));
      expect(trained).toEqual({ residual_stage: 1 });
      const frozen = foldBatchNorm(stage);
      // The first block changes the shape, and goes layer by layer; the others go together.
      expect(countOperators(() => void frozen.forward(x))).toEqual({
        conv2d_relu: 1,
        option_a_shortcut: 1,
        add_conv2d_: 1,
        frozen_blocks_: 1,
      });
    });
  });
});
