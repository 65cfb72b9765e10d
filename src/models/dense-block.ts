import { BatchNorm2d, Conv2d, FoldedConvolution, kernels, Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** The layers of a bottleneck, or what `foldBatchNorm` has put in their places. */
export interface DenseLayers {
  readonly norm1: BatchNorm2d;
  readonly conv1: Module;
  readonly norm2: Module;
  readonly conv2: Conv2d;
}

const hasFused = torch.hasOperator("lyceum::frozen_dense_block") && torch.op("lyceum::isa") !== "none";
/** The kernels compute so many pixels together. */
const leastPixels = 8;

function isFusable(x: torch.Tensor): boolean {
  const [batch = 0, , height = 0, width = 0] = x.shape;
  const fits = batch > 0 && height * width >= leastPixels && x.dtype === "float32" && x.device === "cpu";
  return hasFused && kernels() === "fast" && fits;
}

/** Whether the fused operators have kernels for these two convolutions. */
function haveKernels(narrow: Conv2d, wide: Module): boolean {
  if (!(wide instanceof Conv2d) || wide.bias) return false;
  if (narrow.strideOf(1, 0) !== 1 || wide.strideOf(3, 1) !== 1) return false;
  const [growth = 0, inner = 0] = wide.weight.shape;
  return growth <= 16 && inner % 16 === 0;
}

/** The operators take layers of one size. */
const areAlike = (layers: readonly DenseLayers[]) =>
  layers.every(({ conv2 }) => conv2.weight.shape.join() === layers[0]!.conv2.weight.shape.join());

function areFrozen(layers: readonly DenseLayers[]): boolean {
  const { eps } = layers[0]!.norm1;
  if (!areAlike(layers)) return false;
  return layers.every(({ norm1, norm2, conv2 }) => {
    if (!(norm2 instanceof FoldedConvolution && norm2.convolution.bias)) return false;
    return !norm1.training && norm1.eps === eps && haveKernels(norm2.convolution, conv2);
  });
}

type TrainedLayers = DenseLayers & { conv1: Conv2d; norm2: BatchNorm2d };

function areTrained(layers: readonly DenseLayers[]): layers is readonly TrainedLayers[] {
  const { eps, momentum } = layers[0]!.norm1;
  const fits = (norm: Module) =>
    norm instanceof BatchNorm2d && norm.training && norm.eps === eps && norm.momentum === momentum;
  if (!areAlike(layers)) return false;
  return layers.every(({ norm1, conv1, norm2, conv2 }) => {
    return fits(norm1) && fits(norm2) && conv1 instanceof Conv2d && !conv1.bias && haveKernels(conv1, conv2);
  });
}

/** Means of relu(norm(x)) over windows of so many rows and columns. */
export interface Averages {
  norm: BatchNorm2d;
  window: readonly [number, number];
}

/** Whether the operator takes the averages along: windows fill the images, and the norm is as those of the layers. */
function followOn(after: Averages | undefined, first: BatchNorm2d, x: torch.Tensor): boolean {
  if (!after) return true;
  const { norm, window } = after;
  if (norm.training !== first.training || norm.eps !== first.eps) return false;
  if (norm.training && norm.momentum !== first.momentum) return false;
  return window.every((size, i) => size > 0 && x.shape[2 + i]! % size === 0);
}

const statisticsOf = ({ weight, bias, runningMean, runningVar }: BatchNorm2d) => [
  weight,
  bias,
  runningMean,
  runningVar,
];

/**
 * The answer of frozen dense layers, each of which adds its channels to those that came in: by one operator, which
 * takes an image through all of them in a core's own cache. Nothing where that is not possible; the layers one by one
 * are the same but for rounding.
 *
 * @param x [N, C, H, W]
 * @param after what is made of the answer; it goes with it
 */
export function frozenDenseBlock(
  layers: readonly DenseLayers[],
  x: torch.Tensor,
  after?: Averages,
): torch.Tensor | undefined {
  if (!isFusable(x) || x.requiresGrad || !areFrozen(layers)) return undefined;
  const { norm1 } = layers[0]!;
  if (!followOn(after, norm1, x)) return undefined;
  const norms = layers.flatMap(({ norm1 }) => statisticsOf(norm1));
  if (after) norms.push(...statisticsOf(after.norm));
  const narrowing = layers.map(({ norm2 }) => (norm2 as FoldedConvolution).convolution);
  const weights = layers.flatMap(({ conv2 }, i) => [narrowing[i]!.weight, conv2.weight]);
  const biases = narrowing.map(({ bias }) => bias!);
  const window = after?.window ?? [];
  return torch.op("lyceum::frozen_dense_block", x, norms, weights, biases, window, norm1.eps);
}

/**
 * The same of layers that are trained; differentiable once. Nothing where that is not possible.
 *
 * @param x [N, C, H, W]
 * @param after what is made of the answer; it goes with it
 */
export function trainedDenseBlock(
  layers: readonly DenseLayers[],
  x: torch.Tensor,
  after?: Averages,
): torch.Tensor | undefined {
  if (!isFusable(x) || !areTrained(layers)) return undefined;
  if (!followOn(after, layers[0]!.norm1, x)) return undefined;
  const [parameters, averages]: [torch.Tensor[], torch.Tensor[]] = [[], []];
  const values = x.numel / x.shape[1]!;
  for (const { norm1, conv1, norm2, conv2 } of layers) {
    for (const [norm, { weight }] of [[norm1, conv1] as const, [norm2, conv2] as const]) {
      norm.track(values, x.shape);
      parameters.push(norm.weight, norm.bias, weight);
      averages.push(norm.runningMean, norm.runningVar);
    }
  }
  if (after) {
    after.norm.track(values, x.shape);
    parameters.push(after.norm.weight, after.norm.bias);
    averages.push(after.norm.runningMean, after.norm.runningVar);
  }
  const { momentum, eps } = layers[0]!.norm1;
  return torch.op("lyceum::dense_block", x, parameters, averages, after?.window ?? [], momentum, eps);
}

/** Dense layers one after another, named "denselayer1", "denselayer2", … */
export class DenseBlock extends Module {
  readonly #names: string[];
  [name: string]: unknown;

  constructor(layers: readonly (Module & DenseLayers)[]) {
    super();
    this.#names = layers.map((_, i) => `denselayer${i + 1}`);
    for (const [i, name] of this.#names.entries()) this[name] = layers[i];
  }

  /** pool(relu(norm(forward(x)))), where `pool` averages over windows, which one operator takes with the block. */
  forwardPooled(x: torch.Tensor, norm: BatchNorm2d, pool: Module, window: Averages["window"]): torch.Tensor {
    const [layers, after] = [this.#layers(), { norm, window }];
    const answer = frozenDenseBlock(layers, x, after) ?? trainedDenseBlock(layers, x, after);
    return answer ?? pool.forward(norm.forward(this.forward(x), { relu: true }));
  }

  #layers(): (Module & DenseLayers)[] {
    return this.#names.map((name) => this[name] as Module & DenseLayers);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    const layers = this.#layers();
    const answer = frozenDenseBlock(layers, x) ?? trainedDenseBlock(layers, x);
    if (answer) return answer;
    // Each part in a scope of its own: what nobody needs for the gradient is free for the next part to use.
    return layers.reduce((y, layer) => torch.scope(() => layer.forward(y)), x);
  }
}
