import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { BatchNorm2d, blocked, Conv2d, isBlocked, type ResidualLayers, residualBlock } from "./index.js";

interface Case {
  batch: number;
  from: number;
  to: number;
  stride: number;
  size: [number, number];
  seed: number;
}

function layersOf({ from, to, stride, seed }: Case): ResidualLayers {
  const generator = new torch.Generator(seed);
  const convolution = (from: number, stride: number) =>
    new Conv2d(from, to, 3, { stride, padding: 1, bias: false, generator });
  const norm = () => {
    const made = new BatchNorm2d(to);
    torch.noGrad(() => {
      for (const parameter of [made.weight, made.bias]) parameter.copy_(torch.randn([to], { generator }));
    });
    return made;
  };
  return { conv1: convolution(from, stride), bn1: norm(), conv2: convolution(to, 1), bn2: norm() };
}

const plain = (x: torch.Tensor) => (isBlocked(x) ? x.permute([0, 1, 4, 2, 3]).flatten(1, 2) : x);

type Block = (layers: ResidualLayers, x: torch.Tensor, shortcut: torch.Tensor) => torch.Tensor;

/** The result, the gradients of all that it depends on, and the running statistics. */
function outcome(options: Case, dtype: torch.DType, block: Block): Record<string, torch.Tensor> {
  const { batch, from, to, stride, size, seed } = options;
  const layers = layersOf(options);
  const modules = [layers.conv1, layers.bn1, layers.conv2, layers.bn2];
  for (const module of modules) module.to({ dtype });
  const generator = new torch.Generator(seed + 1);
  const draw = (shape: number[]) => torch.randn(shape, { generator }).to({ dtype });
  const x = draw([batch, from, ...size]).requiresGrad_();
  const out = [batch, to, ...size.map((pixels) => Math.ceil(pixels / stride))];
  const shortcut = from === to && stride === 1 ? x : draw(out).requiresGrad_();
  const y = block(layers, x, shortcut);
  y.backward(draw(out));
  const parameters = modules.flatMap((module, i) =>
    [...module.namedParameters()].map(([name, parameter]) => [`${i}.${name}`, parameter.grad!] as const),
  );
  const { bn1, bn2 } = layers;
  return {
    y: y.detach(),
    x: x.grad!,
    shortcut: shortcut.grad!,
    mean: bn1.runningMean,
    variance: bn2.runningVar,
    ...Object.fromEntries(parameters),
  };
}

const fused: Block = (layers, x, shortcut) => {
  const inBlocks = blocked(x);
  return plain(residualBlock(layers, inBlocks, shortcut === x ? inBlocks : blocked(shortcut)));
};

/** Of sixteen and more channels: what lies in blocks is fused. */
const cases = fc.record({
  batch: fc.integer({ min: 2, max: 8 }),
  from: fc.constantFrom(16, 32),
  to: fc.constantFrom(16, 32, 48),
  stride: fc.constantFrom(1, 2),
  size: fc.tuple(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 3, max: 12 })),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe.skipIf(!isBlocked(blocked(torch.ones([1, 16, 2, 2]))))("residualBlock", () => {
  it("in one operator is what its layers are in float64, with all gradients", () => {
    fc.assert(
      fc.property(cases, (options) => {
        torch.scope(() => {
          let nearest = Number.POSITIVE_INFINITY;
          const relu = (x: torch.Tensor) => {
            nearest = Math.min(nearest, x.detach().abs().min().item());
            return x.relu();
          };
          const expected = outcome(options, "float64", ({ conv1, bn1, conv2, bn2 }, x, shortcut) =>
            relu(bn2.forward(conv2.forward(relu(bn1.forward(conv1.forward(x))))).add(shortcut)),
          );
          // Where rounding decides what passes a ReLU, either is right.
          fc.pre(nearest > 1e-5);
          const found = outcome(options, "float32", fused);
          for (const [name, value] of Object.entries(expected)) {
            const away = found[name]!.sub(value).abs().max().item() / Math.max(1, value.abs().max().item());
            expect(away, name).toBeLessThan(1e-4);
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  it("counts batches, and refuses one value a channel", () => {
    const options = { batch: 2, from: 16, to: 16, stride: 1, size: [4, 4] as [number, number], seed: 1 };
    const layers = layersOf(options);
    const x = blocked(torch.ones([2, 16, 4, 4]));
    residualBlock(layers, x, x);
    expect(layers.bn2.numBatchesTracked.item()).toBe(1);
    const one = blocked(torch.ones([1, 16, 1, 1]));
    expect(() => residualBlock(layers, one, one)).toThrow(/one value a channel, got \[1, 1, 1, 1, 16\]/);
  });

  it("says that it has no second derivative", () => {
    const layers = layersOf({ batch: 2, from: 16, to: 16, stride: 1, size: [4, 4], seed: 1 });
    const x = blocked(torch.randn([2, 16, 4, 4], { generator: new torch.Generator(1) })).requiresGrad_();
    const y = residualBlock(layers, x, x);
    expect(() => torch.grad([y.sum()], [x], { createGraph: true })).toThrow(/no second derivative.*float64/);
  });

  it("takes an empty batch in evaluation", () => {
    const layers = layersOf({ batch: 0, from: 16, to: 16, stride: 1, size: [4, 4], seed: 1 });
    layers.bn1.eval();
    layers.bn2.eval();
    const x = blocked(torch.ones([0, 16, 4, 4]));
    expect(residualBlock(layers, x, x).shape).toEqual([0, 1, 4, 4, 16]);
  });
});
