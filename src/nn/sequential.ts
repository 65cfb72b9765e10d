import { scope, type Tensor } from "../torch/index.js";
import { BasicBlock } from "./basic-block.js";
import { BatchNorm2d } from "./batch-norm2d.js";
import { Bottleneck } from "./bottleneck.js";
import { hasForwardOf, isExactly, partsOf, remember } from "./by-class.js";
import { Conv2d } from "./conv2d.js";
import { bottlenecksPreferBlocks, fromBlocks, isBlocked, prefersBlocks, toBlocks } from "./cpu/blocks.js";
import { trainedBottlenecks } from "./cpu/bottlenecks.js";
import { denseBlock } from "./cpu/dense-block.js";
import { keepsBlocks, takesBlocks } from "./cpu/layers-in-blocks.js";
import { type Fused, frozenBlocks, frozenStem, trainedBlocks } from "./cpu/residual-blocks.js";
import { DenseBlock } from "./dense-block.js";
import { DenseTransition } from "./dense-transition.js";
import { FoldedConvolution, isDeferred } from "./folded-convolution.js";
import { AvgPool2d, GlobalAvgPool, ReLU } from "./layers.js";
import { Module } from "./module.js";
import { makesNew } from "./ownership.js";

/** What has been computed so far. */
interface Activation {
  x: Tensor;
  /** Whether it was made here and nobody else has it, so that a frozen network may write over it. */
  owned: boolean;
}

/** What becomes of an activation, and how many of the modules have been applied to it. */
type Step = Activation & { count: number };

const asNew = (fused: Fused | undefined): Step | undefined =>
  fused && { x: fused.y, count: fused.count, owned: true };

/** Brings what a residual block is given into the order of memory in which it computes fastest. */
function inOrderOf(block: Module, { x, owned }: Activation, prefers: typeof prefersBlocks): Activation {
  const inBlocks = keepsBlocks(block);
  const change = inBlocks && !isBlocked(x) && prefers(x) && x.shape[1]! % 16 === 0;
  const { y, mayAlias } = change ? toBlocks(x) : { y: inBlocks ? x : fromBlocks(x), mayAlias: true };
  return { x: y, owned: owned || !mayAlias };
}

/** Computes basic blocks. The first one decides whether activations go over to blocks of channels. */
function basicBlocks(modules: readonly Module[], given: Activation): Step | undefined {
  const block = modules[0]!;
  if (!isExactly(block, BasicBlock)) return undefined;
  const { x: y, owned: isOurs } = inOrderOf(block, given, prefersBlocks);
  const fused = frozenBlocks(modules, y, isOurs) ?? trainedBlocks(modules, y);
  return asNew(fused) ?? { x: block.compute(y, isOurs), count: 1, owned: true };
}

/** Computes bottlenecks. The first one decides whether activations go over to blocks of channels. */
function bottlenecks(modules: readonly Module[], given: Activation): Step | undefined {
  const block = modules[0]!;
  if (!isExactly(block, Bottleneck)) return undefined;
  const { x, owned } = inOrderOf(block, given, bottlenecksPreferBlocks);
  return asNew(trainedBottlenecks(modules, x)) ?? { x: block.compute(x, owned), count: 1, owned: true };
}

/** Computes a folded convolution, whose two places are one layer, with the ReLU after it. */
function foldedConvolution([place, norm, next]: readonly Module[], { x }: Activation): Step | undefined {
  if (!norm || !isExactly(norm, FoldedConvolution) || !norm.follows(place!)) return undefined;
  const relu = isExactly(next, ReLU);
  const y = norm.convolve(keepsBlocks(norm.convolution) ? x : fromBlocks(x), { relu });
  return { x: y, count: relu ? 3 : 2, owned: true };
}

/** Computes batch norm and ReLU in one pass over memory. */
function normAndRelu([norm, relu]: readonly Module[], { x }: Activation): Step | undefined {
  if (!isExactly(norm, BatchNorm2d) || !isExactly(relu, ReLU)) return undefined;
  const y = norm.forward(takesBlocks(norm) ? x : fromBlocks(x), { relu: true });
  return { x: y, count: 2, owned: true };
}

/** Computes a dense block with the transition after it. */
function denseBlockAndTransition(
  [block, transition]: readonly Module[],
  { x }: Activation,
): Step | undefined {
  if (!isExactly(block, DenseBlock) || !isExactly(transition, DenseTransition)) return undefined;
  const { norm, conv } = transition;
  const means = denseBlock(block.layers(), x, { norm, window: [2, 2] });
  return means && { x: conv.forward(means), count: 2, owned: false };
}

/** The windows that a pooling takes means over, if they lie side by side; of the whole image for a global one. */
function windowOf(pool: Module | undefined, x: Tensor): [number, number] | undefined {
  if (isExactly(pool, AvgPool2d)) {
    const { window, stride, padding } = pool;
    return padding === 0 && stride === window ? [window, window] : undefined;
  }
  const [, , height = 0, width = 0] = x.shape;
  return isExactly(pool, GlobalAvgPool) ? [height, width] : undefined;
}

/** Computes a dense block with batch norm, ReLU and the pooling after it. */
function denseBlockAndPooling(
  [block, norm, relu, pool]: readonly Module[],
  { x }: Activation,
): Step | undefined {
  if (!isExactly(block, DenseBlock) || !isExactly(norm, BatchNorm2d) || !isExactly(relu, ReLU))
    return undefined;
  const window = windowOf(pool, x);
  const means = window && denseBlock(block.layers(), x, { norm, window });
  if (!means) return undefined;
  return { x: isExactly(pool, GlobalAvgPool) ? means.flatten(1) : means, count: 4, owned: true };
}

/** Groups of modules that are computed together. The first that serves is taken; each is the same but for rounding. */
const groups: ((modules: readonly Module[], given: Activation) => Step | undefined)[] = [
  (modules, { x }) => asNew(frozenStem(modules, x)),
  basicBlocks,
  bottlenecks,
  foldedConvolution,
  denseBlockAndTransition,
  denseBlockAndPooling,
  normAndRelu,
];

/** Gives the activations as [N, C, H, W], for modules that know of no other order. */
const plain = (x: Tensor): Tensor => (isDeferred(x) ? x : fromBlocks(x));

function step(modules: readonly Module[], given: Activation): Step {
  for (const group of groups) {
    const found = group(modules, given);
    if (found) return found;
  }
  const module = modules[0]!;
  const x = module.forward(takesBlocks(module) ? given.x : plain(given.x));
  return { x, count: 1, owned: makesNew(module) };
}

/** Replaces modules that only apply others one after another by what they apply. */
function flatten(modules: readonly Module[]): Module[] {
  return modules.flatMap((module) => {
    const parts = partsOf(module);
    return parts ? flatten(parts) : [module];
  });
}

/**
 * Applies modules one after another: for networks whose layers have names of their own, as {@link Sequential} does for
 * those that are numbered.
 *
 * What is computed is what the modules' `forward`s say. Groups of layers that `nn` knows by class (batch norm with ReLU,
 * residual and dense blocks, a frozen network's first layers) are computed together where that is faster, with
 * activations in an order of memory of their own in between. Modules of all other classes are called one by one, with
 * [N, C, H, W]. The input is never written to.
 */
export function applyInOrder(modules: readonly Module[], x: Tensor): Tensor {
  const all = flatten(modules);
  let at: Activation = { x, owned: false };
  for (let i = 0; i < all.length; ) {
    const given = at;
    // Each step in a scope of its own: what nobody needs for the gradient is free for the next one to use.
    const found = scope(() => step(all.slice(i), given));
    at = found;
    i += found.count;
  }
  return !isDeferred(x) && isBlocked(x) ? at.x : plain(at.x);
}

/** Applies modules one after another. They are named "0", "1", … */
export class Sequential extends Module {
  [index: number]: Module;
  protected readonly count: number;

  static {
    remember(Sequential, (sequence) => sequence.parts());
  }

  constructor(...modules: Module[]) {
    super();
    this.count = modules.length;
    modules.forEach((module, i) => {
      this[i] = module;
    });
  }

  /** Each convolution with the batch norm right after it. A subclass with a `forward` of its own has no pairs. */
  override batchNormPairs(): [string, string][] {
    if (!hasForwardOf(this as Module, Sequential)) return [];
    return Array.from({ length: Math.max(0, this.count - 1) }, (_, i) => i)
      .filter((i) => isExactly(this[i], Conv2d) && isExactly(this[i + 1], BatchNorm2d))
      .map((i) => [String(i), String(i + 1)]);
  }

  /** The modules, first to last. */
  parts(): Module[] {
    return Array.from({ length: this.count }, (_, i) => this[i]!);
  }

  /** Applies its modules by {@link applyInOrder}. */
  override forward(x: Tensor): Tensor {
    return applyInOrder(this.parts(), x);
  }
}
