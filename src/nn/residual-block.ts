import * as torch from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { canBlock, channelsOf, isBlocked, isOrdered } from "./blocked.js";
import { Conv2d } from "./conv2d.js";
import { FoldedConvolution } from "./folded-convolution.js";
import { kernels } from "./kernels.js";
import { Identity } from "./layers.js";
import type { Module } from "./module.js";

/**
 * The layers of a basic block (He et al. 2016): 3x3 convolutions, the second of stride 1, each with its batch norm; or
 * what {@link foldBatchNorm} has put in their places.
 */
export interface ResidualLayers {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
}

/** A block that says what it adds. */
export interface ResidualBlock extends ResidualLayers {
  /** Of the result's shape; `x` itself where nothing changes. */
  shortcut(x: torch.Tensor): torch.Tensor;
  /** Whether that drops pixels and adds channels of zeros (option A), which operators do by themselves. */
  readonly dropsPixels?: boolean;
}

const hasFused = torch.hasOperator("lyceum::residual_stage");

const isFusable = (x: torch.Tensor) => isBlocked(x) && x.dtype === "float32";

/** Weights and biases of both convolutions, with what has been folded into them; of a block that keeps x's shape. */
function frozenFilters(
  { bn1, bn2 }: ResidualLayers,
  channels: number,
): [torch.Tensor, torch.Tensor][] | undefined {
  if (!(bn1 instanceof FoldedConvolution && bn2 instanceof FoldedConvolution)) return undefined;
  const filters: [torch.Tensor, torch.Tensor][] = [];
  for (const { convolution } of [bn1, bn2]) {
    const { weight, bias } = convolution;
    if (convolution.strideOf(3, 1) !== 1 || !bias) return undefined;
    if (weight.shape[0] !== channels || weight.shape[1] !== channels) return undefined;
    filters.push([weight, bias]);
  }
  return filters;
}

interface Filters {
  weights: torch.Tensor[];
  biases: torch.Tensor[];
  /** Of so many blocks. */
  blocks: number;
}

/** Of the first of these blocks, as long as they are frozen, folded and keep the shape of their input. */
function leadingFilters(blocks: readonly ResidualLayers[], channels: number): Filters {
  const found: Filters = { weights: [], biases: [], blocks: 0 };
  for (const block of blocks) {
    const filters = frozenFilters(block, channels);
    if (!filters) break;
    for (const [weight, bias] of filters) {
      found.weights.push(weight);
      found.biases.push(bias);
    }
    found.blocks++;
  }
  return found;
}

/** A result and how many blocks it is the result of. */
export interface Taken {
  y: torch.Tensor;
  taken: number;
}

/**
 * As many of the first of these blocks as one operator takes: frozen and folded ones that keep the shape of their input
 * and add it as it is, in float32 and blocks of channels. A few images at a time go through all of them.
 *
 * @param x is overwritten, unless no block is taken
 */
export function frozenBlocks(blocks: readonly ResidualLayers[], x: torch.Tensor): Taken {
  const none = { y: x, taken: 0 };
  if (!(hasFused && isFusable(x)) || x.requiresGrad) return none;
  const { weights, biases, blocks: taken } = leadingFilters(blocks, channelsOf(x));
  if (taken === 0) return none;
  return { y: torch.op("lyceum::frozen_blocks_", x, weights, biases, kernels() === "fast"), taken };
}

/**
 * The same of relu(norm(conv(images))), a frozen network's first layer, with that layer in the same operator.
 *
 * @param images [N, C, H, W]; y is in blocks where any block is taken
 */
export function frozenStage(
  { conv, norm }: { conv: Module; norm: Module },
  blocks: readonly ResidualLayers[],
  images: torch.Tensor,
): Taken {
  const none = { y: images, taken: 0 };
  // What a frozen network has in these places.
  if (!(conv instanceof Identity && norm instanceof FoldedConvolution)) return none;
  const { weight, bias } = norm.convolution;
  const fits = hasFused && canBlock(images) && isOrdered(images) && !images.requiresGrad;
  if (!fits || !bias || norm.convolution.strideOf(3, 1) !== 1 || weight.shape[0]! % 16 !== 0) return none;
  const { weights, biases, blocks: taken } = leadingFilters(blocks, weight.shape[0]!);
  if (taken === 0) return none;
  const args = [images, weight, bias, weights, biases, kernels() === "fast"] as const;
  return { y: torch.op("lyceum::frozen_stage", ...args), taken };
}

/** The stride of the first convolution, where the fused operator serves. */
function fusedStride({ conv1, bn1, conv2, bn2 }: ResidualLayers): number | undefined {
  // A frozen network has other layers in these places.
  if (!(conv1 instanceof Conv2d && conv2 instanceof Conv2d && bn1.training && bn2.training)) return undefined;
  if (conv1.bias || conv2.bias) return undefined;
  if (bn1.eps !== bn2.eps || bn1.momentum !== bn2.momentum || conv2.strideOf(3, 1) !== 1) return undefined;
  return conv1.strideOf(3, 1);
}

/** Whether one operator takes a block after another one: it adds its input as it is, and its batch norm is as that one's. */
function follows({ bn1: { eps, momentum } }: ResidualLayers, block: ResidualLayers): boolean {
  const { conv1, bn1 } = block;
  const keeps = fusedStride(block) === 1 && conv1.weight.shape[0] === conv1.weight.shape[1];
  return keeps && bn1.eps === eps && bn1.momentum === momentum;
}

/**
 * As many of the first of these blocks as one operator takes: in training, float32 in blocks of channels. It is
 * differentiable once and goes over memory less often.
 *
 * @param shortcut gives what the first block adds, where that is neither its input nor option A's; the others add theirs
 * @throws RangeError when a channel of the result has one value
 */
export function trainedBlocks(
  blocks: readonly ResidualLayers[],
  x: torch.Tensor,
  shortcut?: () => torch.Tensor,
): Taken {
  const [first] = blocks;
  const stride = hasFused && isFusable(x) && first ? fusedStride(first) : undefined;
  if (!first || stride === undefined) return { y: x, taken: 0 };
  const other = blocks.findIndex((block, i) => i > 0 && !follows(first, block));
  const taken = other < 0 ? blocks.length : other;
  const added = shortcut?.();
  const pixels = x.shape.slice(2, 4).map((size) => Math.ceil(size / stride));
  const shape = [x.shape[0]!, first.conv1.weight.shape[0]! / 16, ...pixels, 16];
  const values = shape[0]! * pixels[0]! * pixels[1]!;
  const [parameters, averages]: [torch.Tensor[], torch.Tensor[]] = [[], []];
  for (const { conv1, bn1, conv2, bn2 } of blocks.slice(0, taken)) {
    for (const [{ weight }, norm] of [[conv1, bn1] as const, [conv2, bn2] as const]) {
      norm.track(values, shape);
      parameters.push(weight, norm.weight, norm.bias);
      averages.push(norm.runningMean, norm.runningVar);
    }
  }
  const { momentum, eps } = first.bn1;
  const given = added === x ? undefined : added;
  const args = [x, parameters, averages, given, stride, kernels() === "fast", momentum, eps] as const;
  return { y: torch.op("lyceum::residual_stage", ...args), taken };
}

/**
 * relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut). One operator takes it where {@link trainedBlocks} can, or
 * {@link frozenBlocks}, which writes over `x`. All else goes layer by layer.
 *
 * @param shortcut of the result's shape; `x` itself where nothing changes
 * @throws RangeError in training when a channel of the result has one value
 */
export function residualBlock(layers: ResidualLayers, x: torch.Tensor, shortcut: torch.Tensor): torch.Tensor {
  const fused = x === shortcut ? frozenBlocks([layers], x) : undefined;
  const { y, taken } = fused?.taken ? fused : trainedBlocks([layers], x, () => shortcut);
  if (taken === 1) return y;
  const { conv1, bn1, conv2, bn2 } = layers;
  const inner = bn1.forward(conv1.forward(x), { relu: true });
  return bn2.forward(conv2.forward(inner), { residual: shortcut, lastUse: true, relu: true });
}
