/** Who owns an activation: only its owner may give it up to be written over. */
import { BatchNorm2d } from "./batch-norm2d.js";
import { isExactly, partsOf } from "./by-class.js";
import { Conv2d } from "./conv2d.js";
import { FoldedConvolution } from "./folded-convolution.js";
import { AvgPool2d, GlobalAvgPool, MaxPool2d, ReLU, ReLU6 } from "./layers.js";
import type { Module } from "./module.js";

const makers = [Conv2d, BatchNorm2d, FoldedConvolution, ReLU, ReLU6, MaxPool2d, AvgPool2d, GlobalAvgPool];

/**
 * Whether what the module returns is new, so that it belongs to the caller alone. A module of unknown class may return
 * its input, or keep what it returns.
 */
export function makesNew(module: Module): boolean {
  const last = partsOf(module)?.at(-1);
  return last ? makesNew(last) : makers.some((Class) => isExactly(module, Class as typeof ReLU));
}
