import * as torch from "../torch/index.js";
import { remember } from "./by-class.js";
import { channelsOf, isBlocked } from "./cpu/blocks.js";
import { optionAInBlocks } from "./cpu/option-a-shortcut.js";
import { Module } from "./module.js";

/**
 * The shortcut without parameters, "option A" of He et al. (2016), section 4.1: every `stride`-th pixel, and channels of
 * zeros, half of them before and half of them after those of the input (of an odd number, one more after).
 */
export class OptionAShortcut extends Module {
  /** How many channels the result has. */
  readonly channels: number;
  readonly stride: number;

  static {
    remember(OptionAShortcut);
  }

  /** @param channels of the result, as many as come in or more */
  constructor(channels: number, { stride = 1 }: { stride?: number } = {}) {
    super();
    this.channels = channels;
    this.stride = stride;
  }

  /**
   * @param x [N, C, H, W]
   * @returns [N, channels, ceil(H / stride), ceil(W / stride)]; `x` itself where nothing changes
   * @throws RangeError when more channels come in than go out
   */
  override forward(x: torch.Tensor): torch.Tensor {
    const { channels, stride } = this;
    const missing = channels - channelsOf(x);
    if (missing < 0)
      throw new RangeError(`option A adds channels: ${channelsOf(x)} do not go into ${channels}`);
    if (stride === 1 && missing === 0) return x;
    if (isBlocked(x)) return optionAInBlocks(x, channels, stride);
    // A window of one pixel takes those pixels and, unlike slicing, keeps the channels-last order in both directions.
    const near = stride === 1 ? x : torch.avgPool2d(x, 1, stride);
    const before = Math.floor(missing / 2);
    return missing === 0 ? near : torch.constantPadNd(near, [0, 0, 0, 0, before, missing - before]);
  }
}
