/**
 * Basic blocks of residual networks, several in one operator: in training `lyceum::residual_stage`, which is differentiable
 * once; frozen `lyceum::frozen_blocks_` and `lyceum::frozen_stage`, which take a few images at a time through all layers.
 * Whatever is not of the very classes, or not of shapes that the operators take, is left to the modules' own `forward`.
 */
import * as torch from "../../torch/index.js";
import { BasicBlock } from "../basic-block.js";
import { BatchNorm2d } from "../batch-norm2d.js";
import { isExactly } from "../by-class.js";
import { Conv2d } from "../conv2d.js";
import { FoldedConvolution } from "../folded-convolution.js";
import { kernels } from "../kernels.js";
import { ReLU } from "../layers.js";
import type { Module } from "../module.js";
import { OptionAShortcut } from "../option-a-shortcut.js";
import { channelsOf, isBlocked, isOrdered, lanes, prefersBlocks } from "./blocks.js";
import { hasResidualOperators } from "./build.js";
import { strideOf } from "./convolution.js";
import { keepsBlocks } from "./layers-in-blocks.js";

/** A result, and how many of the modules it is the result of. */
export interface Fused {
  y: torch.Tensor;
  count: number;
}

const isFusable = (x: torch.Tensor) =>
  hasResidualOperators() && isBlocked(x) && x.dtype === "float32" && isOrdered(x);

/** Whether a block adds its input as it is. @param channels of its input */
function addsInput({ downsample }: BasicBlock, channels: number): boolean {
  if (!downsample) return true;
  return (
    isExactly(downsample, OptionAShortcut) && downsample.stride === 1 && downsample.channels === channels
  );
}

interface Filters {
  weights: torch.Tensor[];
  biases: torch.Tensor[];
}

/** The folded convolutions of a frozen block that keeps the shape of its input and adds it as it is; else undefined. */
function frozenFilters(block: Module, channels: number): Filters | undefined {
  if (!isExactly(block, BasicBlock) || !addsInput(block, channels)) return undefined;
  const filters: Filters = { weights: [], biases: [] };
  for (const [place, folded] of [
    [block.conv1, block.bn1],
    [block.conv2, block.bn2],
  ] as const) {
    const norm: Module = folded;
    if (!(isExactly(norm, FoldedConvolution) && norm.follows(place))) return undefined;
    const { weight, bias } = norm.convolution;
    if (strideOf(norm.convolution, 3, 1) !== 1 || !bias || weight.requiresGrad || bias.requiresGrad)
      return undefined;
    const [outputs, inputs] = weight.shape;
    if (outputs !== channels || inputs !== channels) return undefined;
    filters.weights.push(weight);
    filters.biases.push(bias);
  }
  return filters;
}

/** The filters of as many of the first modules as are such blocks. */
function leadingFilters(modules: readonly Module[], channels: number): Filters & { count: number } {
  const found = { weights: [] as torch.Tensor[], biases: [] as torch.Tensor[], count: 0 };
  for (const module of modules) {
    const filters = frozenFilters(module, channels);
    if (!filters) break;
    found.weights.push(...filters.weights);
    found.biases.push(...filters.biases);
    found.count++;
  }
  return found;
}

/**
 * Computes as many of the first modules as are frozen basic blocks that keep the shape of their input.
 *
 * @param x in blocks of channels; @param owned whether it may be written over, else a copy is
 */
export function frozenBlocks(modules: readonly Module[], x: torch.Tensor, owned: boolean): Fused | undefined {
  if (!isFusable(x) || x.requiresGrad) return undefined;
  const { weights, biases, count } = leadingFilters(modules, channelsOf(x));
  if (count === 0) return undefined;
  const operator = owned ? "lyceum::frozen_blocks_" : "lyceum::frozen_blocks";
  return { y: torch.op(operator, x, weights, biases, kernels() === "fast"), count };
}

/**
 * Computes a frozen network's first layer, relu(norm(conv(images))), with as many of the blocks after it as the operator takes.
 *
 * @param modules begin with the two halves of a folded convolution, and a ReLU
 * @param images [N, C, H, W] in channels-last memory
 */
export function frozenStem(modules: readonly Module[], images: torch.Tensor): Fused | undefined {
  const [place, norm, relu, ...blocks] = modules;
  if (!place || !isExactly(norm, FoldedConvolution) || !norm.follows(place) || !isExactly(relu, ReLU))
    return undefined;
  const fits = hasResidualOperators() && prefersBlocks(images) && isOrdered(images) && !images.requiresGrad;
  const { weight, bias } = norm.convolution;
  if (!fits || !bias || weight.requiresGrad || bias.requiresGrad) return undefined;
  const [outputs = 0, inputs] = weight.shape;
  if (strideOf(norm.convolution, 3, 1) !== 1 || outputs % lanes !== 0 || inputs !== images.shape[1])
    return undefined;
  const { weights, biases, count } = leadingFilters(blocks, outputs);
  if (count === 0) return undefined;
  const given = [images, weight, bias, weights, biases, kernels() === "fast"] as const;
  return { y: torch.op("lyceum::frozen_stage", ...given), count: 3 + count };
}

/** The layers of a block in training that the operator takes, and the stride of the first; else undefined. */
function trainedLayers(block: Module | undefined, channels: number) {
  if (!isExactly(block, BasicBlock)) return undefined;
  const { conv1, bn1, conv2, bn2 } = block;
  const areOwn = [conv1, conv2].every((layer) => isExactly(layer, Conv2d) && !layer.bias);
  const areTrained = [bn1, bn2].every((norm) => isExactly(norm, BatchNorm2d) && norm.training);
  if (!areOwn || !areTrained || bn1.eps !== bn2.eps || bn1.momentum !== bn2.momentum) return undefined;
  const [outputs = 0, inputs] = conv1.weight.shape;
  const stride = strideOf(conv1, 3, 1);
  const fits =
    inputs === channels && outputs % lanes === 0 && `${conv2.weight.shape}` === `${[outputs, outputs, 3, 3]}`;
  if (!fits || stride === undefined || strideOf(conv2, 3, 1) !== 1) return undefined;
  if ([bn1, bn2].some(({ weight }) => weight.dtype !== "float32" || weight.numel !== outputs))
    return undefined;
  return { block, stride, outputs, eps: bn1.eps, momentum: bn1.momentum };
}

type Trained = NonNullable<ReturnType<typeof trainedLayers>>;

/** The blocks after the first one that the operator takes with it: they add their input as it is. */
function followers(modules: readonly Module[], first: Trained): BasicBlock[] {
  const found: BasicBlock[] = [];
  for (const module of modules) {
    const layers = trainedLayers(module, first.outputs);
    if (layers?.stride !== 1 || layers.outputs !== first.outputs) break;
    if (!addsInput(layers.block, first.outputs)) break;
    if (layers.eps !== first.eps || layers.momentum !== first.momentum) break;
    found.push(layers.block);
  }
  return found;
}

/** What the first block adds: "own" where the operator makes it of the input by itself; undefined where it cannot serve. */
function shortcutOf({ block, stride, outputs }: Trained, x: torch.Tensor, shape: readonly number[]) {
  const { downsample } = block;
  if (addsInput(block, channelsOf(x))) return stride === 1 && outputs === channelsOf(x) ? "own" : undefined;
  const isOptionA = isExactly(downsample, OptionAShortcut);
  if (isOptionA && downsample.stride === stride && downsample.channels === outputs) return "own";
  if (!downsample || !keepsBlocks(downsample)) return undefined;
  const shortcut = downsample.forward(x);
  return `${shortcut.shape}` === `${shape}` ? shortcut : shortcut.expand(shape);
}

/**
 * Computes as many of the first modules as are basic blocks in training.
 *
 * @param x in blocks of channels
 * @throws RangeError when a channel of the result has one value
 */
export function trainedBlocks(modules: readonly Module[], x: torch.Tensor): Fused | undefined {
  const first = isFusable(x) ? trainedLayers(modules[0], channelsOf(x)) : undefined;
  if (!first) return undefined;
  const { stride, outputs, momentum, eps } = first;
  const [batch = 0, , ...size] = x.shape.slice(0, 4);
  const [height = 0, width = 0] = size.map((pixels) => Math.ceil(pixels / stride));
  const shape = [batch, outputs / lanes, height, width, lanes];
  const shortcut = shortcutOf(first, x, shape);
  if (!shortcut) return undefined;
  const blocks = [first.block, ...followers(modules.slice(1), first)];
  const [parameters, averages]: [torch.Tensor[], torch.Tensor[]] = [[], []];
  for (const { conv1, bn1, conv2, bn2 } of blocks) {
    for (const [{ weight }, norm] of [[conv1, bn1] as const, [conv2, bn2] as const]) {
      norm.track(batch * height * width, shape);
      parameters.push(weight, norm.weight, norm.bias);
      averages.push(norm.runningMean, norm.runningVar);
    }
  }
  const given = shortcut === "own" ? undefined : shortcut;
  const options = [given, stride, kernels() === "fast", momentum, eps] as const;
  const y = torch.op("lyceum::residual_stage", x, parameters, averages, ...options);
  return { y, count: blocks.length };
}
