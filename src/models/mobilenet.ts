import {
  applyInOrder,
  BatchNorm2d,
  Dropout,
  GlobalAvgPool,
  Linear,
  Module,
  normal,
  ReLU6,
  Sequential,
} from "../nn/index.js";
import * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";

/** A row of the paper's table 2: blocks one after another, the first of them with the stride. */
interface Stage {
  /** By how much a block's inner channels are more than those that come in. */
  expansion: number;
  channels: number;
  blocks: number;
  stride: number;
}

const table: readonly Stage[] = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
];

/** A convolution, batch norm and ReLU6. */
function activated(
  from: number,
  to: number,
  window: 1 | 3,
  options: { stride?: number; groups?: number; generator: torch.Generator },
): Sequential {
  return new Sequential(convolution(from, to, window, options), new BatchNorm2d(to), new ReLU6());
}

/**
 * A 1x1 convolution to more channels, a 3x3 convolution of each channel by itself, and a 1x1 convolution back to few, without
 * activation; x is added where the shape stays.
 */
class InvertedResidual extends Module {
  readonly conv: Sequential;
  readonly #isResidual: boolean;

  constructor(from: number, { expansion, channels, stride }: Stage, generator: torch.Generator) {
    super();
    const inner = from * expansion;
    this.conv = new Sequential(
      ...(expansion === 1 ? [] : [activated(from, inner, 1, { generator })]),
      activated(inner, inner, 3, { stride, groups: inner, generator }),
      convolution(inner, channels, 1, { generator }),
      new BatchNorm2d(channels),
    );
    this.#isResidual = stride === 1 && from === channels;
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    const y = this.conv.forward(x);
    return this.#isResidual ? y.add(x) : y;
  }
}

export interface MobileNetV2Options extends ModelOptions {
  /** The rows of table 2. Default: the paper's. */
  stages?: readonly Stage[];
  /** The probability with which dropout makes an element zero, from 0 to below 1. Default: 0.2. */
  dropoutRate?: number;
}

/**
 * MobileNetV2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.
 * Weights carry torchvision's names: its files fit.
 */
export class MobileNetV2 extends Module {
  readonly features: Sequential;
  readonly pool = new GlobalAvgPool();
  readonly classifier: Sequential;

  /** @throws RangeError when `dropoutRate` is out of range */
  constructor({ stages = table, dropoutRate = 0.2, classes, channels, generator }: MobileNetV2Options) {
    super();
    let from = 32;
    const stem = activated(channels, from, 3, { stride: 2, generator });
    const blocks = stages.flatMap((stage) =>
      Array.from({ length: stage.blocks }, (_, i) => {
        const block = new InvertedResidual(from, i === 0 ? stage : { ...stage, stride: 1 }, generator);
        from = stage.channels;
        return block;
      }),
    );
    this.features = new Sequential(stem, ...blocks, activated(from, 1280, 1, { generator }));
    const linear = new Linear(1280, classes, { generator });
    normal(linear.weight, 0.01, generator);
    torch.noGrad(() => linear.bias?.zero_());
    this.classifier = new Sequential(new Dropout(dropoutRate, { generator }), linear);
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { features, pool, classifier } = this;
    return applyInOrder([features, pool, classifier], x);
  }
}

export const mobileNetV2 = defineModel({
  name: "mobilenet-v2",
  summary: "MobileNetV2 for large images (Sandler et al. 2018, table 2).",
  construction:
    "features: a Sequential of a 3x3 convolution of stride 2 to 32 channels with batch norm and ReLU6 (minimum of 6 and ReLU); " +
    "blocks of 16, 24 (2), 32 (3), 64 (4), 96 (3), 160 (3) and 320 channels, the first of 24, 32, 64 and 160 with stride 2; a " +
    "1x1 convolution to 1280 channels with batch norm and ReLU6. Then the mean over all pixels; classifier: dropout of 0.2 and " +
    "a linear layer: torchvision's mobilenet_v2. A block is conv, a Sequential of a 1x1 convolution to 6 times the channels with " +
    "batch norm and ReLU6 (not in the first block), a depthwise 3x3 convolution (as many groups as channels) of the block's " +
    "stride with batch norm and ReLU6, a 1x1 convolution and batch norm, without activation; its input is added where the " +
    "stride is 1 and the channels stay. Convolutions have no bias, 3x3 ones padding 1, and begin normal with variance 2 / " +
    "fan-out; batch norms have eps 1e-5 and momentum 0.1 and begin as ones and zeros; the linear layer begins normal with " +
    "deviation 0.01, its bias as zeros.",
  create: (options) => new MobileNetV2(options),
});
