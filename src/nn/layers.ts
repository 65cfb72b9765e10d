/** Layers without weights. */
import * as torch from "../torch/index.js";
import { eachBlock } from "./blocked.js";
import { Module } from "./module.js";

export class Identity extends Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x;
  }
}

export class ReLU extends Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x.relu();
  }
}

/** All dimensions but the first become one. */
export class Flatten extends Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x.flatten(1);
  }
}

interface PoolOptions {
  /** Default: the window's size. */
  stride?: number;
  padding?: number;
}

abstract class Pool extends Module {
  protected readonly window: number;
  protected readonly stride: number;
  protected readonly padding: number;

  constructor(window: number, { stride = window, padding = 0 }: PoolOptions = {}) {
    super();
    this.window = window;
    this.stride = stride;
    this.padding = padding;
  }
}

/** The largest of each window of [N, C, H, W]. */
export class MaxPool2d extends Pool {
  override forward(x: torch.Tensor): torch.Tensor {
    return eachBlock(x, (block) => torch.maxPool2d(block, this.window, this.stride, this.padding));
  }
}

/** The mean of each window of [N, C, H, W], padding counted in. */
export class AvgPool2d extends Pool {
  override forward(x: torch.Tensor): torch.Tensor {
    return eachBlock(x, (block) => torch.avgPool2d(block, this.window, this.stride, this.padding));
  }
}

/**
 * The mean of each channel: [N, C, H, W] to [N, C].
 *
 * By pooling with a window as large as the image: the gradient of `mean` comes in rows of one channel, and every layer
 * before it would then run in that slower order.
 */
export class GlobalAvgPool extends Module {
  override forward(x: torch.Tensor): torch.Tensor {
    // Sums of a whole image are not left to 16 bits.
    const coarse = x.dtype === "bfloat16" || x.dtype === "float16";
    const fine = coarse ? x.to({ dtype: "float32" }) : x;
    return eachBlock(fine, (block) => torch.avgPool2d(block, block.shape.slice(2))).flatten(1);
  }
}
