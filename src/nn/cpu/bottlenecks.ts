/**
 * Bottlenecks of residual networks, several in one operator: in training `lyceum::bottleneck_stage`, which is differentiable
 * once; frozen `lyceum::frozen_bottlenecks`. Both go through several layers with a few images at a time. Whatever is not of the very classes, or not of shapes that the operators take, is left to the modules' own `forward`.
 */
import * as torch from "../../torch/index.js";
import { BatchNorm2d } from "../batch-norm2d.js";
import { Bottleneck } from "../bottleneck.js";
import { isExactly, partsOf } from "../by-class.js";
import { Conv2d } from "../conv2d.js";
import { FoldedConvolution } from "../folded-convolution.js";
import { kernels } from "../kernels.js";
import type { Module } from "../module.js";
import { channelsOf, isBlocked, isOrdered, lanes } from "./blocks.js";
import { hasBottleneckOperators } from "./build.js";
import { strideOf } from "./convolution.js";
import { keepsBlocks } from "./layers-in-blocks.js";
import type { Fused } from "./residual-blocks.js";

const takes = (x: torch.Tensor) =>
  hasBottleneckOperators() && isBlocked(x) && x.dtype === "float32" && isOrdered(x);

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

/** A frozen convolution of this window and stride that gives a multiple of sixteen channels, with batch norm in it. */
function frozen(
  [place, norm]: readonly Module[],
  { inputs, window, stride }: { inputs: number; window: number; stride?: number },
): Conv2d | undefined {
  if (!place || !isExactly(norm, FoldedConvolution) || !norm.follows(place)) return undefined;
  const { weight, bias } = norm.convolution;
  if (!bias || weight.requiresGrad || bias.requiresGrad) return undefined;
  const [outputs = 0, from] = weight.shape;
  const found = strideOf(norm.convolution, window, (window - 1) / 2);
  const fits = from === inputs && outputs % lanes === 0 && found !== undefined;
  return fits && found === (stride ?? found) ? norm.convolution : undefined;
}

/** The convolutions of a frozen block, the shortcut's behind the others; undefined where the operator does not serve. */
function frozenConvolutions(block: Module, channels: number): Conv2d[] | undefined {
  if (!isExactly(block, Bottleneck)) return undefined;
  const { conv1, bn1, conv2, bn2, conv3, bn3, downsample } = block;
  const first = frozen([conv1, bn1], { inputs: channels, window: 1, stride: 1 });
  const second = first && frozen([conv2, bn2], { inputs: first.weight.shape[0]!, window: 3 });
  const third = second && frozen([conv3, bn3], { inputs: second.weight.shape[0]!, window: 1, stride: 1 });
  if (!third) return undefined;
  const outputs = third.weight.shape[0];
  if (!downsample) return second.stride === 1 && outputs === channels ? [first, second, third] : undefined;
  const parts = partsOf(downsample);
  const { stride } = second;
  const shortcut = parts?.length === 2 ? frozen(parts, { inputs: channels, window: 1, stride }) : undefined;
  return shortcut?.weight.shape[0] === outputs ? [first, second, third, shortcut!] : undefined;
}

/**
 * Computes as many of the first modules as are frozen bottlenecks of one stage.
 *
 * @param x in blocks of channels; never written to
 */
export function frozenBottlenecks(modules: readonly Module[], x: torch.Tensor): Fused | undefined {
  if (!takes(x) || x.requiresGrad) return undefined;
  const convolutions: Conv2d[] = [];
  let [count, channels] = [0, channelsOf(x)];
  for (const module of modules) {
    const found = frozenConvolutions(module, channels);
    if (!found || (count > 0 && found.length > 3)) break;
    convolutions.push(...found);
    channels = found[2]!.weight.shape[0]!;
    count++;
  }
  if (count === 0) return undefined;
  const weights = convolutions.map(({ weight }) => weight);
  const biases = convolutions.map(({ bias }) => bias!);
  const options = [convolutions[1]!.stride, kernels() === "fast"] as const;
  return { y: torch.op("lyceum::frozen_bottlenecks", x, weights, biases, ...options), count };
}

/**
 * Computes as many of the first modules as are bottlenecks in training.
 *
 * @param x in blocks of channels
 * @throws RangeError when a channel of a result has one value
 */
export function trainedBottlenecks(modules: readonly Module[], x: torch.Tensor): Fused | undefined {
  const first = takes(x) && x.numel > 0 ? trained(modules[0], channelsOf(x)) : undefined;
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
