/** Convolutions by Lyceum's operators: oneDNN's prepared primitives and our own kernels. Each differentiable at most once. */
import * as torch from "../../torch/index.js";
import type { Conv2d } from "../conv2d.js";
import { kernels } from "../kernels.js";
import { channelsOf, isBlocked, isOrdered, lanes } from "./blocks.js";
import { convolves } from "./build.js";

/** Whether a convolution is of the kind that the operators take, whatever comes in. @param window its rows */
function isPlain({ weight, padding, dilation, groups }: Conv2d, window = weight.shape[2]!): boolean {
  return groups === 1 && dilation === 1 && padding < window && weight.dtype === "float32";
}

/** The operators' arguments; undefined where they do not serve. */
function argumentsOf(layer: Conv2d, x: torch.Tensor): unknown[] | undefined {
  if (!(isPlain(layer) && convolves(x.dtype) && isOrdered(x))) return undefined;
  const { weight, bias, stride, padding } = layer;
  return [x, weight, bias, [stride, stride], [padding, padding], kernels() === "fast"];
}

/** The stride of a convolution with windows of this size and this padding all around; undefined for all others. */
export function strideOf(layer: Conv2d, size: number, padding: number): number | undefined {
  const fits = layer.padding === padding && layer.weight.shape[2] === size && isPlain(layer, size);
  return fits ? layer.stride : undefined;
}

/** Whether a convolution takes blocks of channels and gives them. */
export function convolvesBlocks(layer: Conv2d): boolean {
  const [outputs = 0, inputs = 0, window = 0] = layer.weight.shape;
  return isPlain(layer, window) && outputs % lanes === 0 && inputs % lanes === 0;
}

/** Computes weight * x + bias; undefined where the operator does not serve. */
export function convolve(layer: Conv2d, x: torch.Tensor): torch.Tensor | undefined {
  const given = argumentsOf(layer, x);
  return given && torch.op("lyceum::conv2d", ...given);
}

/** Whether a gradient may be asked for through this layer, which the operators of frozen networks have none of. */
function needsGradient({ weight, bias }: Conv2d, x: torch.Tensor): boolean {
  return x.requiresGrad || weight.requiresGrad || bias?.requiresGrad === true;
}

/** Computes relu(weight * x + bias) of a frozen layer; undefined where the operator does not serve. */
export function convolveAndRectify(layer: Conv2d, x: torch.Tensor): torch.Tensor | undefined {
  const given = needsGradient(layer, x) ? undefined : argumentsOf(layer, x);
  return given && torch.op("lyceum::conv2d_relu", ...given);
}

function resultShape(layer: Conv2d, x: torch.Tensor): number[] {
  const { weight, stride, padding } = layer;
  const [outputs = 0, , window = 0] = weight.shape;
  const [batch = 0] = x.shape;
  const blocked = isBlocked(x);
  const size = x.shape.slice(2, 4).map((length) => Math.floor((length + 2 * padding - window) / stride) + 1);
  return blocked ? [batch, outputs / lanes, ...size, lanes] : [batch, outputs, ...size];
}

/**
 * Adds weight * x + bias of a frozen layer to `sum`, in place, and rectifies it if asked; undefined, and nothing is
 * written, where the operator does not serve.
 *
 * @param overwrite whether `sum` may be written over; else a copy is
 */
export function convolveAndAdd(
  layer: Conv2d,
  x: torch.Tensor,
  sum: torch.Tensor,
  { relu, overwrite }: { relu: boolean; overwrite: boolean },
): torch.Tensor | undefined {
  const given = needsGradient(layer, x) || sum.requiresGrad ? undefined : argumentsOf(layer, x);
  const fits =
    given && isOrdered(sum) && sum.dtype === x.dtype && `${sum.shape}` === `${resultShape(layer, x)}`;
  if (!fits || layer.weight.shape[1] !== channelsOf(x)) return undefined;
  return torch.op("lyceum::add_conv2d_", overwrite ? sum : sum.clone(), ...given, relu);
}
