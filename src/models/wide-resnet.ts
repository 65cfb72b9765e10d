import {
  applyInOrder,
  BatchNorm2d,
  type Conv2d,
  dropout,
  GlobalAvgPool,
  Linear,
  Module,
  ReLU,
  Sequential,
} from "../nn/index.js";
import * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";

interface WideBlockOptions {
  stride: number;
  dropoutRate: number;
  generator: torch.Generator;
}

/**
 * A block whose norms and ReLUs stand before its convolutions, with dropout between the two convolutions. A 1x1
 * convolution makes the shortcut where the number of channels changes; it takes what the first norm and ReLU give.
 */
class WideBlock extends Module {
  readonly bn1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly convShortcut: Conv2d | undefined;
  readonly #dropoutRate: number;
  readonly #seed: number;

  constructor(from: number, to: number, { stride, dropoutRate, generator }: WideBlockOptions) {
    super();
    this.bn1 = new BatchNorm2d(from);
    this.conv1 = convolution(from, to, 3, { stride, generator });
    this.bn2 = new BatchNorm2d(to);
    this.conv2 = convolution(to, to, 3, { generator });
    if (from !== to) this.convShortcut = convolution(from, to, 1, { stride, generator });
    this.#dropoutRate = dropoutRate;
    // Without dropout nothing is drawn, so that the weights of such a network do not depend on this option.
    this.#seed = dropoutRate > 0 ? drawSeed(generator) : 0;
  }

  override batchNormPairs() {
    return [["conv1", "bn2"]] as const;
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { bn1, conv1, bn2, conv2, convShortcut } = this;
    const active = bn1.forward(x, { relu: true });
    const shortcut = convShortcut ? convShortcut.forward(active) : x;
    const inner = bn2.forward(conv1.forward(active), { relu: true });
    return conv2.forward(this.#drop(inner)).add(shortcut);
  }

  /** Dropout while training. The batch norm's count of batches is part of a checkpoint, and so makes the masks repeat. */
  #drop(x: torch.Tensor): torch.Tensor {
    if (!this.training || this.#dropoutRate === 0) return x;
    const batches = this.bn2.numBatchesTracked.item();
    const seed = (this.#seed + Math.imul(batches, 0x9e3779b1)) >>> 0;
    return dropout(x, { rate: this.#dropoutRate, seed });
  }
}

/** A whole number of 32 bits. */
function drawSeed(generator: torch.Generator): number {
  return torch.scope(() => torch.randint(0, 2 ** 32, [], { generator, dtype: "int64" }).item());
}

/** The blocks of one number of channels, under the names that PyTorch implementations give them: "layer.0" and so on. */
class WideStage extends Module {
  readonly layer: Sequential;

  constructor(from: number, to: number, count: number, options: WideBlockOptions) {
    super();
    const block = (_: unknown, i: number) =>
      i === 0 ? new WideBlock(from, to, options) : new WideBlock(to, to, { ...options, stride: 1 });
    this.layer = new Sequential(...Array.from({ length: count }, block));
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.layer.forward(x);
  }
}

export interface WideResNetOptions extends ModelOptions {
  /** Convolutions, those of the three shortcuts included: 6n + 4, which gives each of the three stages n blocks. */
  depth: number;
  /** By how much the stages are wider than 16, 32 and 64 channels. */
  width: number;
  /** The probability with which dropout makes an element zero, from 0 to below 1. Default: 0, no dropout. */
  dropoutRate?: number;
}

/**
 * Wide residual networks: Zagoruyko and Komodakis, "Wide Residual Networks" (2016), table 1, with basic blocks. Weights carry
 * the names of the PyTorch implementations in use (xternalz/WideResNet-pytorch, RepDistiller).
 *
 * They begin as the authors' code has it: convolutions normal with variance 2 / fan-out, the classifier's weights uniform
 * within ±1 / sqrt(inputs) and its bias zero.
 */
export class WideResNet extends Module {
  readonly conv1: Conv2d;
  readonly block1: WideStage;
  readonly block2: WideStage;
  readonly block3: WideStage;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly pool = new GlobalAvgPool();
  readonly fc: Linear;

  /** @throws RangeError when `depth` is not 6n + 4, `width` no positive integer, or `dropoutRate` out of range */
  constructor({ depth, width, dropoutRate = 0, classes, channels, generator }: WideResNetOptions) {
    super();
    const blocks = (depth - 4) / 6;
    if (!(Number.isInteger(blocks) && blocks >= 1))
      throw new RangeError(`depth must be 6n + 4, got ${depth}`);
    if (!(Number.isInteger(width) && width >= 1))
      throw new RangeError(`width must be a whole number of 1 or more, got ${width}`);
    if (!(dropoutRate >= 0 && dropoutRate < 1))
      throw new RangeError(`dropoutRate must be from 0 to below 1, got ${dropoutRate}`);

    const stage = (from: number, to: number, stride: number) =>
      new WideStage(from, to, blocks, { stride, dropoutRate, generator });
    this.conv1 = convolution(channels, 16, 3, { generator });
    this.block1 = stage(16, 16 * width, 1);
    this.block2 = stage(16 * width, 32 * width, 2);
    this.block3 = stage(32 * width, 64 * width, 2);
    this.bn1 = new BatchNorm2d(64 * width);
    this.fc = new Linear(64 * width, classes, { generator });
    torch.noGrad(() => this.fc.bias?.zero_());
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv1, block1, block2, block3, bn1, relu, pool, fc } = this;
    return applyInOrder([conv1, block1, block2, block3, bn1, relu, pool, fc], x);
  }
}

const wideResNet = (depth: number, width: number, dropoutRate = 0) =>
  defineModel({
    name: `wrn-${depth}-${width}${dropoutRate > 0 ? "-dropout" : ""}`,
    summary:
      `Wide ResNet of depth ${depth} and ${width === 1 ? "one" : width} times the width` +
      `${dropoutRate > 0 ? `, with dropout of ${dropoutRate}` : ""} (Zagoruyko and Komodakis 2016).`,
    construction:
      "conv1 3x3 to 16 channels, without norm or ReLU; block1, block2, block3 of " +
      `${(depth - 4) / 6} blocks each, of ${16 * width}, ${32 * width} and ${64 * width} channels; bn1, ReLU, the mean over ` +
      "all pixels; fc. A block is conv2(relu(bn2(conv1(a)))) + shortcut with a = relu(bn1(x)) and 3x3 convolutions; conv1 of " +
      "the first block of block2 and of block3 has stride 2. Where the number of channels changes, the shortcut is " +
      "convShortcut(a), a 1x1 convolution of the block's stride; elsewhere it is x itself. " +
      (dropoutRate > 0
        ? `In training, dropout of ${dropoutRate} stands between the ReLU after bn2 and conv2. `
        : "No dropout. ") +
      "Convolutions have no bias, 3x3 ones padding 1, and begin normal with variance 2 / fan-out; batch norms have eps 1e-5 " +
      `and momentum 0.1 and begin as ones and zeros; fc begins uniform within ±1 / sqrt(${64 * width}), its bias as zeros.`,
    create: (options) => new WideResNet({ ...options, depth, width, dropoutRate }),
  });

export const wrn16x2 = wideResNet(16, 2);
export const wrn40x2 = wideResNet(40, 2);
export const wrn28x10 = wideResNet(28, 10);
export const wrn28x10Dropout = wideResNet(28, 10, 0.3);
