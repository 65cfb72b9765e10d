/**
 * Blocks of a DenseNet in one operator: in training `lyceum::dense_block`, which is differentiable once; frozen
 * `lyceum::frozen_dense_block`, which takes an image through all layers in a core's own cache. Batch norm, ReLU and the
 * means over windows that come after a block go with it.
 */
import * as torch from "../../torch/index.js";
import { BatchNorm2d } from "../batch-norm2d.js";
import { isExactly } from "../by-class.js";
import { Conv2d } from "../conv2d.js";
import { DenseLayer } from "../dense-layer.js";
import { FoldedConvolution } from "../folded-convolution.js";
import { kernels } from "../kernels.js";
import type { Module } from "../module.js";
import { hasDenseOperators } from "./build.js";
import { strideOf } from "./convolution.js";

/** The kernels compute so many pixels together. */
const leastPixels = 8;
/** The most channels that a layer may add: one block of lanes. */
const mostGrowth = 16;

/** What follows a block: relu(norm(y)), and its means over windows that fill the images. */
export interface Averages {
  norm: BatchNorm2d;
  /** Rows and columns of a window. */
  window: readonly [height: number, width: number];
}

/** One layer as the operators take it: its own two norms and convolutions, in training or frozen. */
interface Layer {
  norm1: BatchNorm2d;
  narrow: Conv2d;
  /** Undefined where it is folded into `narrow`. */
  norm2: BatchNorm2d | undefined;
  wide: Conv2d;
}

function isFusable(x: torch.Tensor): boolean {
  const { shape } = x;
  const [batch = 0, , height = 0, width = 0] = shape;
  const fits = shape.length === 4 && batch > 0 && height * width >= leastPixels;
  return fits && x.dtype === "float32" && x.device === "cpu" && kernels() === "fast" && hasDenseOperators();
}

/** Whether the operators have kernels for a layer's shapes. @param channels that go into it */
function haveKernels({ norm1, narrow, norm2, wide }: Layer, channels: number): boolean {
  if (wide.bias || strideOf(narrow, 1, 0) !== 1 || strideOf(wide, 3, 1) !== 1) return false;
  const [growth = 0, inner = 0] = wide.weight.shape;
  const norms = [[norm1, channels] as const, ...(norm2 ? [[norm2, inner] as const] : [])];
  if (norms.some(([{ weight }, size]) => weight.dtype !== "float32" || weight.numel !== size)) return false;
  return (
    narrow.weight.shape[0] === inner &&
    narrow.weight.shape[1] === channels &&
    growth <= mostGrowth &&
    inner % 16 === 0
  );
}

/** What the operators take of a module; undefined of all but a DenseLayer with layers of the very classes. */
function layerOf(module: Module): Layer | undefined {
  if (!isExactly(module, DenseLayer)) return undefined;
  const { norm1, conv1, conv2: wide } = module;
  const norm2: Module = module.norm2;
  if (!isExactly(norm1, BatchNorm2d) || !isExactly(wide, Conv2d)) return undefined;
  if (isExactly(norm2, FoldedConvolution)) {
    return norm2.follows(conv1) ? { norm1, narrow: norm2.convolution, norm2: undefined, wide } : undefined;
  }
  const isTrained = isExactly(conv1, Conv2d) && !conv1.bias && isExactly(norm2, BatchNorm2d);
  return isTrained ? { norm1, narrow: conv1, norm2, wide } : undefined;
}

/** The layers as the operators take them, if they are all in training or all frozen, and of one size. */
function layersOf(modules: readonly Module[], x: torch.Tensor): Layer[] | undefined {
  const found: Layer[] = [];
  let channels = x.shape[1]!;
  for (const module of modules) {
    const layer = layerOf(module);
    if (!layer || !haveKernels(layer, channels)) return undefined;
    const first = found[0] ?? layer;
    if (`${layer.wide.weight.shape}` !== `${first.wide.weight.shape}`) return undefined;
    const norms = layer.norm2 ? [layer.norm1, layer.norm2] : [layer.norm1];
    if (norms.some((norm) => !isAs(norm, first.norm1, layer.norm2 !== undefined))) return undefined;
    if ((layer.norm2 === undefined) !== (first.norm2 === undefined)) return undefined;
    channels += layer.wide.weight.shape[0]!;
    found.push(layer);
  }
  return found.length > 0 ? found : undefined;
}

/** Whether a norm counts as another one does, and is in the mode asked for. */
function isAs(norm: BatchNorm2d, { eps, momentum }: BatchNorm2d, training: boolean): boolean {
  if (!isExactly(norm, BatchNorm2d) || norm.training !== training || norm.eps !== eps) return false;
  return !training || norm.momentum === momentum;
}

/** Whether the operator takes the averages along: windows fill the images, and the norm is as those of the layers. */
function takes(after: Averages, layers: readonly Layer[], x: torch.Tensor): boolean {
  const { norm, window } = after;
  const channels = layers.reduce((sum, { wide }) => sum + wide.weight.shape[0]!, x.shape[1]!);
  if (norm.weight.dtype !== "float32" || norm.weight.numel !== channels) return false;
  if (!isAs(norm, layers[0]!.norm1, layers[0]!.norm2 !== undefined)) return false;
  return window.every((size, i) => size > 0 && x.shape[2 + i]! % size === 0);
}

function frozen(
  layers: readonly Layer[],
  x: torch.Tensor,
  after: Averages | undefined,
): torch.Tensor | undefined {
  const weights = layers.flatMap(({ narrow, wide }) => [narrow.weight, wide.weight]);
  const biases = layers.map(({ narrow }) => narrow.bias!);
  const norms = [...layers.map(({ norm1 }) => norm1), ...(after ? [after.norm] : [])].flatMap((norm) => [
    norm.weight,
    norm.bias,
    norm.runningMean,
    norm.runningVar,
  ]);
  if ([x, ...weights, ...biases, ...norms].some(({ requiresGrad }) => requiresGrad)) return undefined;
  const window = after?.window ?? [];
  return torch.op("lyceum::frozen_dense_block", x, norms, weights, biases, window, layers[0]!.norm1.eps);
}

function trained(layers: readonly Layer[], x: torch.Tensor, after: Averages | undefined): torch.Tensor {
  const [parameters, averages]: [torch.Tensor[], torch.Tensor[]] = [[], []];
  const add = (norm: BatchNorm2d, ...weights: torch.Tensor[]) => {
    norm.track(x.numel / x.shape[1]!, x.shape);
    parameters.push(norm.weight, norm.bias, ...weights);
    averages.push(norm.runningMean, norm.runningVar);
  };
  for (const { norm1, narrow, norm2, wide } of layers) {
    add(norm1, narrow.weight);
    add(norm2!, wide.weight);
  }
  if (after) add(after.norm);
  const { momentum, eps } = layers[0]!.norm1;
  return torch.op("lyceum::dense_block", x, parameters, averages, after?.window ?? [], momentum, eps);
}

/**
 * Computes the layers of a dense block one after another, and what `after` makes of their result.
 *
 * @param modules the block's layers
 * @param x [N, C, H, W]
 * @returns undefined where the operators do not serve
 */
export function denseBlock(
  modules: readonly Module[],
  x: torch.Tensor,
  after?: Averages,
): torch.Tensor | undefined {
  const layers = isFusable(x) ? layersOf(modules, x) : undefined;
  if (!layers || (after && !takes(after, layers, x))) return undefined;
  return layers[0]!.norm2 ? trained(layers, x, after) : frozen(layers, x, after);
}
