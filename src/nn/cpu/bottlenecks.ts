/**
 * Bottlenecks of residual networks in training, several in one operator: `lyceum::bottleneck_stage`, which is differentiable
 * once. Whatever is not of the very classes, or not of shapes that the operator takes, is left to the modules' own `forward`.
 */
import * as torch from "../../torch/index.js";
import { BatchNorm2d } from "../batch-norm2d.js";
import { Bottleneck } from "../bottleneck.js";
import { isExactly } from "../by-class.js";
import { Conv2d } from "../conv2d.js";
import { kernels } from "../kernels.js";
import type { Module } from "../module.js";
import { channelsOf, isBlocked, isOrdered, lanes } from "./blocks.js";
import { hasBottleneckOperator } from "./build.js";
import { strideOf } from "./convolution.js";
import { keepsBlocks } from "./layers-in-blocks.js";
import type { Fused } from "./residual-blocks.js";

/** A convolution with the batch norm after it. */
type Layer = readonly [Conv2d, BatchNorm2d];

/** A block in training that the operator takes. */
interface Trained {
  block: Bottleneck;
  layers: readonly [Layer, Layer, Layer];
  stride: number;
  outputs: number;
  eps: number;
  momentum: number;
}

/** Whether a layer is of the very classes, in training, and from so many channels to a multiple of sixteen. */
function isTrained([conv, norm]: Layer, inputs: number): boolean {
  if (!isExactly(conv, Conv2d) || conv.bias || !isExactly(norm, BatchNorm2d) || !norm.training) return false;
  const [outputs = 0, from] = conv.weight.shape;
  const fits = from === inputs && outputs % lanes === 0 && norm.weight.numel === outputs;
  return fits && norm.weight.dtype === "float32";
}

function trained(block: Module | undefined, channels: number): Trained | undefined {
  if (!isExactly(block, Bottleneck)) return undefined;
  const { conv1, bn1, conv2, bn2, conv3, bn3 } = block;
  const layers = [
    [conv1, bn1],
    [conv2, bn2],
    [conv3, bn3],
  ] as const;
  let inputs = channels;
  for (const layer of layers) {
    if (!isTrained(layer, inputs)) return undefined;
    inputs = layer[0].weight.shape[0]!;
  }
  const { eps, momentum } = bn1;
  if ([bn2, bn3].some((norm) => norm.eps !== eps || norm.momentum !== momentum)) return undefined;
  const stride = strideOf(conv2, 3, 1);
  if (stride === undefined || strideOf(conv1, 1, 0) !== 1 || strideOf(conv3, 1, 0) !== 1) return undefined;
  return { block, layers, stride, outputs: inputs, eps, momentum };
}

/** The blocks after the first one that the operator takes with it: they add their input as it is. */
function followers(modules: readonly Module[], { outputs, eps, momentum }: Trained): Trained[] {
  const found: Trained[] = [];
  for (const module of modules) {
    const next = trained(module, outputs);
    if (!next || next.block.downsample || next.stride !== 1 || next.outputs !== outputs) break;
    if (next.eps !== eps || next.momentum !== momentum) break;
    found.push(next);
  }
  return found;
}

/** What the first block adds, where that is not its input itself; null where the operator cannot serve. */
function shortcutOf({ block: { downsample } }: Trained, x: torch.Tensor, shape: readonly number[]) {
  if (!downsample) return `${x.shape}` === `${shape}` ? undefined : null;
  if (!keepsBlocks(downsample)) return null;
  const shortcut = downsample.forward(x);
  return `${shortcut.shape}` === `${shape}` ? shortcut : shortcut.expand(shape);
}

/**
 * Computes as many of the first modules as are bottlenecks in training.
 *
 * @param x in blocks of channels
 * @throws RangeError when a channel of a result has one value
 */
export function trainedBottlenecks(modules: readonly Module[], x: torch.Tensor): Fused | undefined {
  const serves = hasBottleneckOperator() && isBlocked(x) && x.dtype === "float32" && isOrdered(x);
  const first = serves && x.numel > 0 ? trained(modules[0], channelsOf(x)) : undefined;
  if (!first) return undefined;
  const { stride, outputs, momentum, eps } = first;
  const [batch = 0, , ...size] = x.shape.slice(0, 4);
  const [height = 0, width = 0] = size.map((pixels) => Math.ceil(pixels / stride));
  const shape = [batch, outputs / lanes, height, width, lanes];
  const shortcut = shortcutOf(first, x, shape);
  if (shortcut === null) return undefined;
  const blocks = [first, ...followers(modules.slice(1), first)];
  const [parameters, averages]: [torch.Tensor[], torch.Tensor[]] = [[], []];
  for (const [i, { layers }] of blocks.entries()) {
    for (const [at, [{ weight }, norm]] of layers.entries()) {
      // The first layer of the first block still sees all pixels of x.
      const pixels = i === 0 && at === 0 ? size.reduce((product, n) => product * n, 1) : height * width;
      norm.track(batch * pixels, shape);
      parameters.push(weight, norm.weight, norm.bias);
      averages.push(norm.runningMean, norm.runningVar);
    }
  }
  const options = [shortcut, stride, kernels() === "fast", momentum, eps] as const;
  return {
    y: torch.op("lyceum::bottleneck_stage", x, parameters, averages, ...options),
    count: blocks.length,
  };
}
