/**
 * Activations in blocks of sixteen channels: [N, C / 16, H, W, 16], one AVX-512 register after the other. Our own
 * convolutions want them so; a network goes over to that order after its first layers and stays in
 * it until its pooling. At sixteen channels it is the very memory of channels-last.
 */
import type * as torch from "../torch/index.js";
import { kernels } from "./kernels.js";
import { hasAvx512, hasLevels } from "./prepared.js";

const lanes = 16;

export function isBlocked(x: torch.Tensor): boolean {
  const { shape } = x;
  return shape.length === 5 && shape[4] === lanes;
}

/** Whether Lyceum's own operators serve and take the tensor as it lies: on the CPU, in blocks or in channels-last. */
export function isOrdered(x: torch.Tensor): boolean {
  return kernels() !== "libtorch" && x.device === "cpu" && (isBlocked(x) || x.isContiguous("channelsLast"));
}

/** Of [N, C, H, W] in either order. */
export function channelsOf(x: torch.Tensor): number {
  return isBlocked(x) ? lanes * x.shape[1]! : x.shape[1]!;
}

/** Whether this machine computes such a network faster in blocks. @param x of it, of any number of channels */
export function canBlock(x: torch.Tensor): boolean {
  const suits = x.dtype === "float32" && x.device === "cpu" && x.shape.length === 4;
  // Without AVX-512 only our own convolutions compute in blocks, and these round coarsely.
  return suits && (kernels() === "fast" ? hasLevels : kernels() === "exact" && hasAvx512);
}

/**
 * The activations in blocks, where this machine computes faster so, else as they are. What comes after must know of
 * both orders; the layers of `nn` do.
 *
 * @param x [N, C, H, W]
 */
export function blocked(x: torch.Tensor): torch.Tensor {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  if (!canBlock(x) || channels % lanes !== 0) return x;
  // By way of rows of channels: so the gradient comes back in channels-last, not in planes.
  return x
    .permute([0, 2, 3, 1])
    .reshape([n, height, width, channels / lanes, lanes])
    .permute([0, 3, 1, 2, 4])
    .contiguous();
}

/**
 * Does what treats each channel by itself, such as pooling, in either order.
 *
 * @param body of [M, C, H, W]; keeps M and C
 */
export function eachBlock(x: torch.Tensor, body: (x: torch.Tensor) => torch.Tensor): torch.Tensor {
  if (!isBlocked(x)) return body(x);
  // Each block is an image of its own, in channels-last: nothing is moved.
  const results = body(x.flatten(0, 1).permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
  return results.reshape([x.shape[0]!, x.shape[1]!, ...results.shape.slice(1)]);
}
