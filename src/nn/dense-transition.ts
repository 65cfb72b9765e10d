import * as torch from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { remember } from "./by-class.js";
import type { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";

/**
 * What stands between two blocks of a DenseNet (Huang et al. 2017, section 3): batch norm, ReLU, a 1x1 convolution, and the
 * mean of each 2x2 pixels.
 *
 * The mean is taken before the convolution: the mean of what a 1x1 convolution makes of four pixels is what it makes of
 * their mean, for a quarter of the products.
 */
export class DenseTransition extends Module {
  readonly norm: BatchNorm2d;
  /** 1x1. */
  readonly conv: Conv2d;

  static {
    remember(DenseTransition);
  }

  constructor({ norm, conv }: { norm: BatchNorm2d; conv: Conv2d }) {
    super();
    this.norm = norm;
    this.conv = conv;
  }

  /** @param x [N, C, H, W]; @returns [N, outputs of the convolution, floor(H / 2), floor(W / 2)] */
  override forward(x: torch.Tensor): torch.Tensor {
    return this.conv.forward(torch.avgPool2d(this.norm.forward(x, { relu: true }), 2));
  }
}
