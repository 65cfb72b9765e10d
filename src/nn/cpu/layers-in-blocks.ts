/** Which modules take activations in blocks of channels. Only modules that are known by class do. */
import { BasicBlock } from "../basic-block.js";
import { BatchNorm2d } from "../batch-norm2d.js";
import { Bottleneck } from "../bottleneck.js";
import { isExactly, partsOf } from "../by-class.js";
import { Conv2d } from "../conv2d.js";
import { FoldedConvolution } from "../folded-convolution.js";
import { AvgPool2d, GlobalAvgPool, Identity, MaxPool2d, ReLU } from "../layers.js";
import type { Module } from "../module.js";
import { OptionAShortcut } from "../option-a-shortcut.js";
import { lanes } from "./blocks.js";
import { convolvesBlocks } from "./convolution.js";

/** A convolution with its batch norm, which are two modules whether they are folded or not. */
function isPairInBlocks(convolution: Module, norm: Module): boolean {
  if (isExactly(norm, FoldedConvolution)) {
    return norm.follows(convolution) && convolvesBlocks(norm.convolution);
  }
  return takesBlocks(convolution) && takesBlocks(norm);
}

const isBasicBlockInBlocks = ({ conv1, bn1, conv2, bn2, downsample }: BasicBlock) =>
  isPairInBlocks(conv1, bn1) && isPairInBlocks(conv2, bn2) && (!downsample || keepsBlocks(downsample));

const isBottleneckInBlocks = ({ conv1, bn1, conv2, bn2, conv3, bn3, downsample }: Bottleneck) =>
  isPairInBlocks(conv1, bn1) &&
  isPairInBlocks(conv2, bn2) &&
  isPairInBlocks(conv3, bn3) &&
  (!downsample || keepsBlocks(downsample));

/** Whether modules, one after another, take blocks of channels and give them. */
function allKeepBlocks(parts: readonly Module[]): boolean {
  for (let i = 0; i < parts.length; i++) {
    const [part, next] = [parts[i]!, parts[i + 1]];
    if (next && isExactly(next, FoldedConvolution)) {
      if (!isPairInBlocks(part, next)) return false;
      i++;
    } else if (!keepsBlocks(part)) return false;
  }
  return true;
}

/** Whether the module takes activations in blocks of channels, and what it returns for them is in blocks again. */
export function keepsBlocks(module: Module): boolean {
  const parts = partsOf(module);
  if (parts) return allKeepBlocks(parts);
  if (isExactly(module, Conv2d)) return convolvesBlocks(module);
  if (isExactly(module, BatchNorm2d)) return module.weight.dtype === "float32";
  if (isExactly(module, OptionAShortcut)) return module.channels % lanes === 0;
  if (isExactly(module, BasicBlock)) return isBasicBlockInBlocks(module);
  if (isExactly(module, Bottleneck)) return isBottleneckInBlocks(module);
  return [ReLU, Identity, MaxPool2d, AvgPool2d].some((Class) => isExactly(module, Class as typeof ReLU));
}

/** Whether the module takes activations in blocks of channels. */
export function takesBlocks(module: Module): boolean {
  return keepsBlocks(module) || isExactly(module, GlobalAvgPool);
}
