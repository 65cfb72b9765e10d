import { channelsOf, eachBlock, isBlocked } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** Channels of zeros on both sides of [N, C, H, W]. */
function padChannels(x: torch.Tensor, before: number, after: number): torch.Tensor {
  return torch.constantPadNd(x, [0, 0, 0, 0, before, after]);
}

/** As {@link padChannels}, of [N, C / 16, H, W, 16]. */
function padBlocks(x: torch.Tensor, before: number, after: number): torch.Tensor {
  const [blocks, lanes] = [Math.floor(before / 16), before % 16];
  if (lanes === 0) return torch.constantPadNd(x, [0, 0, 0, 0, 0, 0, blocks, after / 16]);
  // Each block's channels come to lie in two: its first ones at the end of one block, the others in the next.
  const split = 16 - lanes;
  const firsts = torch.constantPadNd(x.narrow(4, 0, split), [
    lanes,
    0,
    0,
    0,
    0,
    0,
    blocks,
    (after + lanes) / 16,
  ]);
  const others = torch.constantPadNd(x.narrow(4, split, lanes), [
    0,
    split,
    0,
    0,
    0,
    0,
    blocks + 1,
    (after - split) / 16,
  ]);
  return firsts.add_(others);
}

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
  const near = stride === 1 ? x : eachBlock(x, (block) => torch.avgPool2d(block, 1, stride));
  const missing = channels - channelsOf(x);
  if (missing === 0) return near;
  const before = Math.floor(missing / 2);
  return (isBlocked(x) ? padBlocks : padChannels)(near, before, missing - before);
}
