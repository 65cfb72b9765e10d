import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import {
  BatchNorm2d,
  blocked,
  Conv2d,
  foldBatchNorm,
  isBlocked,
  Module,
  ResidualStage,
  residualBlock,
} from "./index.js";

class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  private readonly kept: boolean;

  constructor(from: number, to: number, stride: number, generator: torch.Generator) {
    super();
    this.kept = from === to && stride === 1;
    const convolution = (channels: number, stride: number) =>
      new Conv2d(channels, to, 3, { stride, padding: 1, bias: false, generator });
    const norm = () => {
      const made = new BatchNorm2d(to);
      torch.noGrad(() => {
        made.weight.uniform_(0.2, 1, { generator });
        made.bias.uniform_(-1, 1, { generator });
        made.runningMean.uniform_(-1, 1, { generator });
        made.runningVar.uniform_(0.5, 2, { generator });
      });
      return made;
    };
    this.conv1 = convolution(from, stride);
    this.bn1 = norm();
    this.conv2 = convolution(to, 1);
    this.bn2 = norm();
  }

  override batchNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ] as const;
  }

  shortcut(x: torch.Tensor): torch.Tensor {
    // Where the shape changes, anything but the identity will do.
    return this.kept ? x : this.bn1.forward(this.conv1.forward(x)).mul(-1);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return residualBlock(this, x, this.shortcut(x));
  }
}

/** A first layer and a stage. */
class Network extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: ResidualStage;

  constructor(channels: number, to: number, generator: torch.Generator) {
    super();
    this.conv1 = new Conv2d(channels, to, 3, { padding: 1, bias: false, generator });
    this.bn1 = new BatchNorm2d(to);
    torch.noGrad(() => void this.bn1.runningMean.uniform_(-1, 1, { generator }));
    this.layer1 = new ResidualStage(new Block(to, to, 1, generator), new Block(to, to, 1, generator));
  }

  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.layer1.forwardImages(x, this.conv1, this.bn1);
  }
}

const plain = (x: torch.Tensor) => (isBlocked(x) ? x.permute([0, 1, 4, 2, 3]).flatten(1, 2) : x);

/** What a frozen stage answers in float32 and blocks, and what its layers do one by one in float64. */
function answers(stage: ResidualStage, x: torch.Tensor): [torch.Tensor, torch.Tensor] {
  return torch.noGrad(() => {
    const frozen = foldBatchNorm(stage.eval());
    const found = plain(frozen.forward(blocked(x.clone())));
    let y = x.to({ dtype: "float64" });
    frozen.to({ dtype: "float64" });
    for (let i = 0; frozen[i]; i++) y = frozen[i]!.forward(y);
    frozen.to({ dtype: "float32" });
    return [found, y];
  });
}

interface Case {
  from: number;
  to: number;
  stride: number;
  count: number;
  batch: number;
  size: [number, number];
  seed: number;
}

const cases = fc.record({
  from: fc.constantFrom(16, 32),
  to: fc.constantFrom(16, 32, 48),
  stride: fc.constantFrom(1, 2),
  count: fc.integer({ min: 1, max: 4 }),
  batch: fc.integer({ min: 2, max: 9 }),
  size: fc.tuple(fc.integer({ min: 3, max: 20 }), fc.integer({ min: 3, max: 20 })),
  seed: fc.integer({ min: 0, max: 1000 }),
});

function stageOf({ from, to, stride, count, seed }: Case): ResidualStage {
  const generator = new torch.Generator(seed);
  const blocks = Array.from({ length: count }, (_, i) =>
    i === 0 ? new Block(from, to, stride, generator) : new Block(to, to, 1, generator),
  );
  return new ResidualStage(...blocks);
}

/** The result of training, the gradients of all that it depends on, and the running statistics. */
function outcome(
  stage: ResidualStage,
  x: torch.Tensor,
  forward: (x: torch.Tensor) => torch.Tensor,
): Record<string, torch.Tensor> {
  const input = x.clone().requiresGrad_();
  const y = forward(input);
  const dy = torch.randn(y.shape, { generator: new torch.Generator(9) }).to({ dtype: y.dtype });
  y.backward(dy);
  const gradients = [...stage.namedParameters()].map(([name, parameter]) => [name, parameter.grad!] as const);
  return {
    y: y.detach(),
    x: input.grad!,
    ...Object.fromEntries(gradients),
    ...Object.fromEntries(stage.namedBuffers()),
  };
}

/** The largest difference of each part, relative to the largest value that is expected there. */
function furthest(found: Record<string, torch.Tensor>, expected: Record<string, torch.Tensor>): number {
  const away = Object.entries(expected).map(([name, value]) => {
    const largest = Math.max(1e-3, value.to({ dtype: "float64" }).abs().max().item());
    return found[name]!.sub(value).abs().max().item() / largest;
  });
  return Math.max(...away);
}

describe("ResidualStage", () => {
  it("in training, does at once what its blocks do one by one, to the same bits forward", () => {
    fc.assert(
      fc.property(cases, (options) => {
        torch.scope(() => {
          const { from, batch, size } = options;
          const x = torch.randn([batch, from, ...size], { generator: new torch.Generator(options.seed + 1) });
          const [stage, other] = [stageOf(options), stageOf(options)];
          const found = outcome(stage, x, (x) => plain(stage.forward(blocked(x))));
          const expected = outcome(other, x, (x) => {
            let y = blocked(x);
            for (let i = 0; other[i]; i++) y = other[i]!.forward(y);
            return plain(y);
          });
          expect(found.y!.equal(expected.y!)).toBe(true);
          expect(furthest(found, expected)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 20 },
    );
  });

  it("in training, is what its layers are in float64, with all gradients", () => {
    fc.assert(
      fc.property(cases, (options) => {
        torch.scope(() => {
          const { from, batch, size } = options;
          const generator = new torch.Generator(options.seed + 1);
          const x = torch.randn([batch, from, ...size], { generator });
          const [stage, other] = [stageOf(options), stageOf(options)];
          let nearest = Number.POSITIVE_INFINITY;
          const relu = (x: torch.Tensor) => {
            nearest = Math.min(nearest, x.detach().abs().min().item());
            return x.relu();
          };
          other.to({ dtype: "float64" });
          const expected = outcome(other, x.to({ dtype: "float64" }), (x) => {
            let y = x;
            for (let i = 0; other[i]; i++) {
              const block = other[i] as Block;
              const { conv1, bn1, conv2, bn2 } = block;
              const inner = relu(bn1.forward(conv1.forward(y)));
              y = relu(bn2.forward(conv2.forward(inner)).add(block.shortcut(y)));
            }
            return y;
          });
          // Where rounding decides what passes a ReLU, either is right.
          fc.pre(nearest > 1e-5);
          const found = outcome(stage, x, (x) => plain(stage.forward(blocked(x))));
          expect(furthest(found, expected)).toBeLessThan(1e-3);
        });
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    [16, 16, 1, 4, [9, 14], 7],
    [16, 32, 2, 3, [16, 16], 5],
    [32, 32, 1, 5, [16, 16], 4],
    [32, 64, 2, 3, [16, 16], 9],
    [64, 64, 1, 3, [8, 8], 13],
    [128, 128, 1, 2, [8, 8], 6],
  ] as const)("frozen, from %i to %i channels by stride %i, answers as its layers", (...given) => {
    const [from, to, stride, count, size, batch] = given;
    torch.scope(() => {
      const generator = new torch.Generator(1);
      const blocks = Array.from({ length: count }, (_, i) =>
        i === 0 ? new Block(from, to, stride, generator) : new Block(to, to, 1, generator),
      );
      const x = torch.randn([batch, from, ...size], { generator });
      const [found, expected] = answers(new ResidualStage(...blocks), x);
      const away = found.sub(expected).abs().max().item() / expected.abs().max().item();
      expect(away).toBeLessThan(1e-5);
    });
  });

  it.each([16, 128])(
    "frozen, of %i channels, sees weights that are written to, and batches of any size",
    (channels) => {
      torch.scope(() => {
        const generator = new torch.Generator(2);
        const block = () => new Block(channels, channels, 1, generator);
        const stage = new ResidualStage(block(), block());
        const check = (shape: number[]) => {
          const [found, expected] = answers(stage, torch.randn(shape, { generator }));
          expect(found.sub(expected).abs().max().item()).toBeLessThan(1e-5 * expected.abs().max().item());
        };
        for (const batch of [3, 1, 5, 3]) check([batch, channels, 16, 16]);
        check([4, channels, 7, 9]);
        torch.noGrad(() => stage.namedParameters().get("1.bn2.convolution.weight")!.mul_(-2));
        check([3, channels, 16, 16]);
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
  ] as const)("frozen, takes a first layer from %i to %i channels with it, %i images of %j", (...given) => {
    const [channels, to, batch, size] = given;
    torch.scope(() => {
      const generator = new torch.Generator(3);
      const network = new Network(channels, to, generator);
      const images = torch.randn([batch, channels, ...size], { generator }).contiguous("channelsLast");
      torch.noGrad(() => {
        const frozen = foldBatchNorm(network.eval());
        const found = plain(frozen.forward(images));
        frozen.to({ dtype: "float64" });
        const { conv1, bn1, layer1 } = frozen;
        let expected = bn1.forward(conv1.forward(images.to({ dtype: "float64" })), { relu: true });
        for (let i = 0; layer1[i]; i++) expected = layer1[i]!.forward(expected);
        expect(found.sub(expected).abs().max().item()).toBeLessThan(1e-5 * expected.abs().max().item());
      });
    });
  });

  it("takes the weights' memory with them", () => {
    const bytes = () => process.memoryUsage().rss;
    const once = (seed: number) =>
      torch.scope(() => {
        const generator = new torch.Generator(seed);
        const stage = new ResidualStage(...[0, 1, 2, 3].map(() => new Block(64, 64, 1, generator)));
        const frozen = foldBatchNorm(stage.eval());
        torch.noGrad(() => void frozen.forward(blocked(torch.ones([16, 64, 8, 8]))));
        frozen.dispose();
      });
    for (let i = 0; i < 5; i++) once(i);
    const before = bytes();
    // Each leaves 4.7 MB of transformed weights behind if nobody forgets them.
    for (let i = 0; i < 40; i++) once(i);
    expect(bytes() - before).toBeLessThan(60e6);
  });
});
