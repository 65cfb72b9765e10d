/** Layers without weights. */
import * as torch from "../torch/index.js";
import { remember } from "./by-class.js";
import { eachBlock } from "./cpu/blocks.js";
import { Module } from "./module.js";

/** Returns what it is given, the very tensor. */
export class Identity extends Module {
  static {
    remember(Identity);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return x;
  }
}

/** Makes negative values zero. */
export class ReLU extends Module {
  static {
    remember(ReLU);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return x.relu();
  }
}

/** Makes negative values zero, and those above six, six (Krizhevsky 2010). As torch.nn.ReLU6. */
export class ReLU6 extends Module {
  static {
    remember(ReLU6);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    // libtorch 1.13 has no gradient of hardtanh in 16 bits on the CPU. A clamp's differs at exactly 0 and 6, where it passes.
    return isShort(x) ? x.clamp(0, 6) : torch.op("aten::hardtanh", x, 0, 6);
  }
}

/** Makes one dimension of all but the first: [N, ...] to [N, K]. */
export class Flatten extends Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x.flatten(1);
  }
}

interface PoolOptions {
  /** Pixels from one window to the next. Default: the window's size. */
  stride?: number;
  /** Pixels added on each side. Default: 0. */
  padding?: number;
}

abstract class Pool extends Module {
  /** Rows and columns of a window. */
  readonly window: number;
  readonly stride: number;
  readonly padding: number;

  constructor(window: number, { stride = window, padding = 0 }: PoolOptions = {}) {
    super();
    this.window = window;
    this.stride = stride;
    this.padding = padding;
  }
}

/** Takes the largest value of each window of [N, C, H, W]. */
export class MaxPool2d extends Pool {
  static {
    remember(MaxPool2d);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return eachBlock(x, (block) => torch.maxPool2d(block, this.window, this.stride, this.padding));
  }
}

/** Takes the mean of each window of [N, C, H, W]; zeros of the padding count. */
export class AvgPool2d extends Pool {
  static {
    remember(AvgPool2d);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return eachBlock(x, (block) => torch.avgPool2d(block, this.window, this.stride, this.padding));
  }
}

/**
 * Takes means over windows that fill the image, of which there are as many as are asked for: [N, C, H, W] to
 * [N, C, size, size]. Windows overlap where the size does not divide the image's. As torch.nn.AdaptiveAvgPool2d.
 */
export class AdaptiveAvgPool2d extends Module {
  /** @param size rows and columns of the result */
  constructor(readonly size: number) {
    super();
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return torch.adaptiveAvgPool2d(asFine(x), [this.size, this.size]);
  }
}

/** Brings 16 bits to 32, in which the sum over many pixels would lose too much. */
function asFine(x: torch.Tensor): torch.Tensor {
  return isShort(x) ? x.to({ dtype: "float32" }) : x;
}

const isShort = ({ dtype }: torch.Tensor) => dtype === "bfloat16" || dtype === "float16";

/**
 * Takes the mean of each channel: [N, C, H, W] to [N, C].
 *
 * It pools with a window as large as the image: the gradient of `mean` would come in rows of one channel, and every layer
 * before it would then run in that slower order.
 */
export class GlobalAvgPool extends Module {
  static {
    remember(GlobalAvgPool);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return eachBlock(asFine(x), (block) => torch.avgPool2d(block, block.shape.slice(2))).flatten(1);
  }
}
