import { channelsOf, isBlocked } from "../nn/index.js";
import * as torch from "../torch/index.js";

/**
 * The parameter-free shortcut, "option A" of He et al. (2016), section 4.1: every `stride`-th pixel, and channels of
 * zeros, half of them on either side.
 *
 * Pooling with a window of one pixel takes those pixels and, unlike slicing, keeps the channels-last layout in both
 * directions.
 *
 * @param x [N, C, H, W], or in blocks of channels
 * @param channels of the result, C or more
 * @returns [N, channels, ceil(H / stride), ceil(W / stride)], `x` itself where nothing changes
 */
export function optionAShortcut(x: torch.Tensor, channels: number, stride: number): torch.Tensor {
  const missing = channels - channelsOf(x);
  if (stride === 1 && missing === 0) return x;
  if (isBlocked(x)) return torch.op("lyceum::option_a_shortcut", x, channels, stride);
  const near = stride === 1 ? x : torch.avgPool2d(x, 1, stride);
  const before = Math.floor(missing / 2);
  return missing === 0 ? near : torch.constantPadNd(near, [0, 0, 0, 0, before, missing - before]);
}
