import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import {
  BatchNorm2d,
  Bottleneck,
  Conv2d,
  foldBatchNorm,
  ResidualStage,
  Sequential,
  setKernels,
} from "../index.js";
import { countOperators } from "../testing/count-operators.js";
import { nearestToZero } from "../testing/near-zero.js";
import { answerOf, expectTrainedAsExact, outcome } from "../testing/outcome.js";
import { randomNorm } from "../testing/random-norm.js";
import { expectAsExact } from "../testing/rounding.js";
import { toBlocks } from "./blocks.js";
import { trainedBottlenecks } from "./bottlenecks.js";
import { hasAvx512, hasBottleneckOperator, hasOneDnn } from "./build.js";

const isFused = hasBottleneckOperator() && hasAvx512() && hasOneDnn();

interface Case {
  from: number;
  /** Channels of the 3x3 convolutions. */
  width: number;
  to: number;
  stride: number;
  count: number;
  batch: number;
  size: [number, number];
  seed: number;
}

function block({ from, width, to, stride }: Case, generator: torch.Generator): Bottleneck {
  const norm = (channels: number) => randomNorm(channels, generator, [0.2, 1]);
  const convolution = (inputs: number, outputs: number, window: number, stride = 1) =>
    new Conv2d(inputs, outputs, window, { stride, padding: (window - 1) / 2, bias: false, generator });
  const layers = {
    conv1: convolution(from, width, 1),
    bn1: norm(width),
    conv2: convolution(width, width, 3, stride),
    bn2: norm(width),
    conv3: convolution(width, to, 1),
    bn3: norm(to),
  };
  if (from === to && stride === 1) return new Bottleneck(layers);
  return new Bottleneck({
    ...layers,
    downsample: new Sequential(convolution(from, to, 1, stride), norm(to)),
  });
}

function stageOf(options: Case): ResidualStage {
  const generator = new torch.Generator(options.seed);
  const { to, count } = options;
  return new ResidualStage(
    ...Array.from({ length: count }, (_, i) =>
      block(i === 0 ? options : { ...options, from: to, stride: 1 }, generator),
    ),
  );
}

const images = ({ batch, from, size, seed }: Case) =>
  torch
    .randn([batch, from, ...size], { generator: new torch.Generator(seed + 1) })
    .contiguous("channelsLast");

const sizes = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const cases = {
  from: fc.constantFrom(16, 32, 64),
  width: fc.constantFrom(16, 32),
  to: fc.constantFrom(32, 64),
  stride: fc.constantFrom(1, 2),
  count: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
};

const one: Case = { from: 32, width: 16, to: 64, stride: 2, count: 3, batch: 2, size: [6, 5], seed: 1 };

describe("bottlenecks in training", () => {
  afterEach(() => setKernels("fast"));

  it("are what their layers are in float64, at any size", () => {
    const batch = fc.integer({ min: 2, max: 9 });
    fc.assert(
      fc.property(fc.record({ ...cases, batch, size: sizes(3, 20) }), (options) => {
        torch.scope(() =>
          expectTrainedAsExact(() => stageOf(options), images(options), { gradients: false }),
        );
      }),
      { numRuns: 15 },
    );
  });

  it("have their gradients too", () => {
    const batch = fc.integer({ min: 2, max: 3 });
    fc.assert(
      fc.property(fc.record({ ...cases, batch, size: sizes(3, 5) }), (options) => {
        torch.scope(() => {
          const x = images(options);
          const plain = { dtype: "float64", kernels: "libtorch", gradients: false } as const;
          // Where rounding decides what passes a ReLU, either gradient is right.
          fc.pre(nearestToZero(() => void outcome(stageOf(options), x, plain)) > 3e-5);
          expectTrainedAsExact(() => stageOf(options), x);
        });
      }),
      { numRuns: 15, maxSkipsPerRun: 400 },
    );
  });

  it("go through a large batch a few images at a time", () => {
    // 360,000 floats an image, of which a group has at most 2^20: two images, and then the last one.
    const large: Case = { ...one, from: 64, stride: 1, count: 2, batch: 3, size: [75, 75] };
    const make = () => {
      const stage = stageOf(large);
      // All values pass each ReLU, since of so many some would be too near to zero to compare gradients.
      for (const module of stage.namedModules().values()) {
        if (module instanceof BatchNorm2d) torch.noGrad(() => module.bias.add_(8));
      }
      return stage;
    };
    torch.scope(() => expectTrainedAsExact(make, images(large)));
  });

  it.skipIf(!isFused)("are one operator a stage (needs AVX-512, oneDNN)", () => {
    torch.scope(() => {
      const operators = countOperators(() => void stageOf(one).forward(images(one)));
      expect(operators).toEqual({ bottleneck_stage: 1, conv2d: 1, batch_norm: 1 });
    });
  });

  it.skipIf(!isFused)("give the same bits with any number of threads (needs AVX-512, oneDNN)", () => {
    const before = torch.getNumThreads();
    const run = (threads: number) => {
      torch.setNumThreads(threads);
      return outcome(stageOf(one), images(one), { dtype: "float32", kernels: "exact" }).get("y")!;
    };
    try {
      const first = run(1);
      expect(run(2).equal(first)).toBe(true);
    } finally {
      torch.setNumThreads(before);
    }
  });

  it.skipIf(!isFused)("say that they have no second derivative (needs AVX-512, oneDNN)", () => {
    torch.scope(() => {
      const x = images(one).requiresGrad_();
      const y = stageOf(one).forward(x);
      expect(() => torch.grad([y.sum()], [x], { createGraph: true })).toThrow(/no second derivative/);
    });
  });

  it("refuse one value a channel, as their layers do", () => {
    const tiny: Case = { ...one, batch: 1, size: [1, 1] };
    expect(() => stageOf(tiny).forward(images(tiny))).toThrow(/cannot train on one value a channel/);
  });

  it("leave blocks of other classes to their own forward", () => {
    class Own extends Bottleneck {}
    torch.scope(() => {
      const { conv1, bn1, conv2, bn2, conv3, bn3 } = block(
        { ...one, from: 64, stride: 1 },
        new torch.Generator(1),
      );
      const own = new Own({ conv1, bn1, conv2, bn2, conv3, bn3 });
      const x = toBlocks(torch.ones([2, 64, 4, 4]).contiguous("channelsLast")).y;
      expect(trainedBottlenecks([own], x)).toBeUndefined();
    });
  });

  it.skipIf(!hasBottleneckOperator()).each([
    ["activations of another order", [2, 16, 4, 4], [16, 16, 1, 1], /must be float32 \[N, C \/ 16/],
    ["a window of another size", [2, 1, 4, 4, 16], [16, 16, 3, 3], /weights must be \[K, C, 1, 1\]/],
  ])("refuse %s", (_, x, weight, message) => {
    const [w, c] = [torch.ones(weight), torch.ones([16])];
    const parameters = [w, c, c, torch.ones([16, 16, 3, 3]), c, c, torch.ones([16, 16, 1, 1]), c, c];
    const averages = Array.from({ length: 6 }, () => torch.ones([16]));
    const given = [torch.ones(x), parameters, averages, undefined, 1, true, 0.1, 1e-5];
    expect(() => torch.op("lyceum::bottleneck_stage", ...given)).toThrow(message);
  });

  it.skipIf(!hasBottleneckOperator())("refuse another number of parameters", () => {
    const x = torch.ones([2, 1, 4, 4, 16]);
    const call = () => torch.op("lyceum::bottleneck_stage", x, [x], [], undefined, 1, true, 0.1, 1e-5);
    expect(call).toThrow(/nine parameters and six averages/);
  });
});

describe("frozen bottlenecks", () => {
  it("answer as their layers do, at any size", () => {
    const batch = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.record({ ...cases, batch, size: sizes(3, 20) }), (options) => {
        torch.scope(() => {
          const x = images(options);
          const make = () => stageOf(options).eval();
          const exact = answerOf(make(), x, { dtype: "float64", kernels: "libtorch" });
          const libtorch = answerOf(make(), x, { dtype: "float32", kernels: "libtorch" });
          const frozen = foldBatchNorm(make(), { example: x });
          const before = x.clone();
          for (const kernels of ["fast", "exact"] as const) {
            const found = answerOf(frozen, x, { dtype: "float32", kernels });
            expectAsExact(found, { libtorch, exact, layers: frozen.namedModules().size, what: kernels });
          }
          expect(x.equal(before)).toBe(true);
        });
      }),
      { numRuns: 20 },
    );
  });
});
