/**
 * Activations in blocks of sixteen channels, [N, C / 16, H, W, 16]: one AVX-512 register after the other, the order that
 * Lyceum's own convolutions want. Only modules that `nn` knows by class are ever given such tensors; users' modules see
 * [N, C, H, W]. With sixteen channels, blocks are the very memory of channels-last.
 */
import type * as torch from "../../torch/index.js";
import { kernels } from "../kernels.js";
import { hasAvx512, hasOneDnn, hasOwnKernels } from "./build.js";

/** How many channels a block has. */
export const lanes = 16;

export function isBlocked(x: torch.Tensor): boolean {
  const { shape } = x;
  return shape.length === 5 && shape[4] === lanes;
}

/** Whether Lyceum's own operators may be used, and take the tensor as it lies: on the CPU, in blocks or channels-last. */
export function isOrdered(x: torch.Tensor): boolean {
  return kernels() !== "libtorch" && x.device === "cpu" && (isBlocked(x) || x.isContiguous("channelsLast"));
}

/** The number of channels, in either order of memory. */
export function channelsOf(x: torch.Tensor): number {
  return isBlocked(x) ? lanes * x.shape[1]! : x.shape[1]!;
}

/** Whether basic blocks compute faster in blocks of channels here. @param x [N, C, H, W], whatever C is */
export function prefersBlocks(x: torch.Tensor): boolean {
  const suits = x.dtype === "float32" && x.device === "cpu" && x.shape.length === 4;
  // Without AVX-512 only our own convolutions compute in blocks, and those go by Winograd's algorithm.
  return suits && (kernels() === "fast" ? hasOwnKernels() : kernels() === "exact" && hasAvx512());
}

/** Whether bottlenecks do, too: their 1x1 convolutions in blocks are oneDNN's, which it has for AVX-512 only. */
export function bottlenecksPreferBlocks(x: torch.Tensor): boolean {
  return prefersBlocks(x) && hasAvx512() && hasOneDnn();
}

/** Activations, and whether their memory may be shared with the tensor that they were made from. */
export interface Reordered {
  y: torch.Tensor;
  mayAlias: boolean;
}

/** @param x [N, C, H, W], C a multiple of sixteen; @returns the same in blocks of channels */
export function toBlocks(x: torch.Tensor): Reordered {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  // By way of rows of channels, so that the gradient comes back in channels-last and not in planes.
  const blocks = x
    .permute([0, 2, 3, 1])
    .reshape([n, height, width, channels / lanes, lanes])
    .permute([0, 3, 1, 2, 4]);
  return { y: blocks.contiguous(), mayAlias: blocks.isContiguous() };
}

/** The activations as [N, C, H, W] in channels-last memory. @param x in blocks, or else returned as it is */
export function fromBlocks(x: torch.Tensor): torch.Tensor {
  if (!isBlocked(x)) return x;
  const [n, blocks, height, width] = x.shape as [number, number, number, number];
  return x
    .permute([0, 2, 3, 1, 4])
    .reshape([n, height, width, blocks * lanes])
    .permute([0, 3, 1, 2]);
}

/**
 * Does what treats each channel by itself, such as pooling, in either order of memory.
 *
 * @param body of [M, C, H, W]; keeps M and C
 */
export function eachBlock(x: torch.Tensor, body: (x: torch.Tensor) => torch.Tensor): torch.Tensor {
  if (!isBlocked(x)) return body(x);
  // Each block is an image of its own, in channels-last: nothing is moved.
  const results = body(x.flatten(0, 1).permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
  return results.reshape([x.shape[0]!, x.shape[1]!, ...results.shape.slice(1)]);
}
