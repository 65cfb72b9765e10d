import type * as torch from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { hasForwardOf, remember } from "./by-class.js";
import type { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";
import { makesNew } from "./ownership.js";

/** The layers of a {@link BasicBlock}. */
export interface BasicBlockLayers {
  /** 3x3, with the block's stride. */
  conv1: Conv2d;
  bn1: BatchNorm2d;
  /** 3x3, of stride 1. */
  conv2: Conv2d;
  bn2: BatchNorm2d;
  /** Makes the shortcut of the input, where the block changes its shape. Left out, the shortcut is the input itself. */
  downsample?: Module | undefined;
}

/**
 * The basic block of residual networks (He et al. 2016, figure 2): relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)).
 *
 * Blocks that stand one after another in a {@link Sequential} or in {@link applyInOrder} are computed by operators that
 * take several at once, where these serve. That is so of this very class alone: a subclass, and a block with layers of
 * other classes, goes layer by layer.
 */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Module | undefined;

  static {
    remember(BasicBlock);
  }

  constructor({ conv1, bn1, conv2, bn2, downsample }: BasicBlockLayers) {
    super();
    this.conv1 = conv1;
    this.bn1 = bn1;
    this.conv2 = conv2;
    this.bn2 = bn2;
    this.downsample = downsample;
  }

  override batchNormPairs(): [string, string][] {
    if (!hasForwardOf(this as Module, BasicBlock)) return [];
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ];
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    return this.compute(x, false);
  }

  /** @internal Layer by layer. @param ownsInput whether `x` may be written over */
  compute(x: torch.Tensor, ownsInput: boolean): torch.Tensor {
    const { conv1, bn1, conv2, bn2, downsample } = this;
    const inner = bn1.forward(conv1.forward(x), { relu: true });
    const residual = downsample ? downsample.forward(x) : x;
    const overwriteResidual = residual === x ? ownsInput : downsample !== undefined && makesNew(downsample);
    return bn2.forward(conv2.forward(inner), { residual, overwriteResidual, relu: true });
  }
}
