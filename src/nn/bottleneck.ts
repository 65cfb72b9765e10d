import type * as torch from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { hasForwardOf, remember } from "./by-class.js";
import type { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";
import { makesNew } from "./ownership.js";

/** The layers of a {@link Bottleneck}. */
export interface BottleneckLayers {
  /** 1x1, to fewer channels. */
  conv1: Conv2d;
  bn1: BatchNorm2d;
  /** 3x3, with the block's stride; may have groups. */
  conv2: Conv2d;
  bn2: BatchNorm2d;
  /** 1x1, to more channels. */
  conv3: Conv2d;
  bn3: BatchNorm2d;
  /** Makes the shortcut of the input, where the block changes its shape. Left out, the shortcut is the input itself. */
  downsample?: Module | undefined;
}

/**
 * The bottleneck block of residual networks (He et al. 2016, figure 5):
 * relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))) + shortcut(x)).
 *
 * The paper has the stride in the first 1x1 convolution. Networks of today, torchvision's among them, have it in the 3x3 one,
 * which sees all pixels ("v1.5").
 *
 * Blocks that stand in a {@link Sequential} or in {@link applyInOrder} are computed in the order of memory that is fastest.
 * That is so of this very class alone: a subclass, and a block with layers of other classes, goes layer by layer.
 */
export class Bottleneck extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Module | undefined;

  static {
    remember(Bottleneck);
  }

  constructor({ conv1, bn1, conv2, bn2, conv3, bn3, downsample }: BottleneckLayers) {
    super();
    this.conv1 = conv1;
    this.bn1 = bn1;
    this.conv2 = conv2;
    this.bn2 = bn2;
    this.conv3 = conv3;
    this.bn3 = bn3;
    this.downsample = downsample;
  }

  override batchNormPairs(): [string, string][] {
    if (!hasForwardOf(this as Module, Bottleneck)) return [];
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
      ["conv3", "bn3"],
    ];
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    return this.compute(x, false);
  }

  /** @internal Layer by layer. @param ownsInput whether `x` may be written over */
  compute(x: torch.Tensor, ownsInput: boolean): torch.Tensor {
    const { conv1, bn1, conv2, bn2, conv3, bn3, downsample } = this;
    const narrow = bn1.forward(conv1.forward(x), { relu: true });
    const inner = bn2.forward(conv2.forward(narrow), { relu: true });
    const residual = downsample ? downsample.forward(x) : x;
    const overwriteResidual = residual === x ? ownsInput : downsample !== undefined && makesNew(downsample);
    return bn3.forward(conv3.forward(inner), { residual, overwriteResidual, relu: true });
  }
}
