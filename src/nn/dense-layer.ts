import * as torch from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { hasForwardOf, remember } from "./by-class.js";
import type { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";

/** The layers of a {@link DenseLayer}. */
export interface DenseLayers {
  norm1: BatchNorm2d;
  /** 1x1, the bottleneck. */
  conv1: Conv2d;
  norm2: BatchNorm2d;
  /** 3x3, makes the new channels. */
  conv2: Conv2d;
}

/**
 * A layer of DenseNet-B (Huang et al. 2017, section 3): conv2(relu(norm2(conv1(relu(norm1(x)))))), whose channels are put
 * behind those of x.
 */
export class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  static {
    remember(DenseLayer);
  }

  constructor({ norm1, conv1, norm2, conv2 }: DenseLayers) {
    super();
    this.norm1 = norm1;
    this.conv1 = conv1;
    this.norm2 = norm2;
    this.conv2 = conv2;
  }

  override batchNormPairs(): [string, string][] {
    return hasForwardOf(this as Module, DenseLayer) ? [["conv1", "norm2"]] : [];
  }

  /** @param x [N, C, H, W]; @returns [N, C + growth, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    const squeezed = this.conv1.forward(this.norm1.forward(x, { relu: true }));
    const grown = this.conv2.forward(this.norm2.forward(squeezed, { relu: true }));
    return torch.cat([x, grown], 1);
  }
}
