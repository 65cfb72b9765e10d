import { type BatchNorm2d, Conv2d, FoldedConvolution, kernels, Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** The layers of a bottleneck, or what `foldBatchNorm` has put in their places. */
export interface DenseLayers {
  readonly norm1: BatchNorm2d;
  readonly conv1: Module;
  readonly norm2: Module;
  readonly conv2: Conv2d;
}

const hasFused = torch.hasOperator("lyceum::frozen_dense_block") && torch.op("lyceum::has_avx512");
/** The kernels compute so many pixels together. */
const leastPixels = 8;

function isFusable(layers: readonly DenseLayers[], x: torch.Tensor): boolean {
  const [, , height = 0, width = 0] = x.shape;
  if (!hasFused || kernels() !== "fast" || x.requiresGrad || x.dtype !== "float32" || x.device !== "cpu")
    return false;
  if (height * width < leastPixels || x.shape[0] === 0) return false;
  return layers.every(({ norm1, norm2, conv2 }) => {
    if (!(norm2 instanceof FoldedConvolution && norm2.convolution.bias && conv2 instanceof Conv2d))
      return false;
    const [growth = 0, inner = 0] = conv2.weight.shape;
    if (norm1.training || norm1.eps !== layers[0]!.norm1.eps || conv2.bias) return false;
    if (norm2.convolution.strideOf(1, 0) !== 1 || conv2.strideOf(3, 1) !== 1) return false;
    return growth <= 16 && inner % 16 === 0;
  });
}

/**
 * The answer of frozen dense layers, each of which adds its channels to those that came in: by one operator, which
 * takes an image through all of them in a core's own cache. Nothing where that is not possible; the layers one by one
 * are the same but for rounding.
 *
 * @param x [N, C, H, W]
 */
export function frozenDenseBlock(layers: readonly DenseLayers[], x: torch.Tensor): torch.Tensor | undefined {
  if (!isFusable(layers, x)) return undefined;
  const norms = layers.flatMap(({ norm1: { weight, bias, runningMean, runningVar } }) => [
    weight,
    bias,
    runningMean,
    runningVar,
  ]);
  const narrowing = layers.map(({ norm2 }) => (norm2 as FoldedConvolution).convolution);
  const weights = layers.flatMap(({ conv2 }, i) => [narrowing[i]!.weight, conv2.weight]);
  const biases = narrowing.map(({ bias }) => bias!);
  return torch.op("lyceum::frozen_dense_block", x, norms, weights, biases, layers[0]!.norm1.eps);
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

  override forward(x: torch.Tensor): torch.Tensor {
    const layers = this.#names.map((name) => this[name] as Module & DenseLayers);
    const answer = frozenDenseBlock(layers, x);
    if (answer) return answer;
    // Each part in a scope of its own: what nobody needs for the gradient is free for the next part to use.
    return layers.reduce((y, layer) => torch.scope(() => layer.forward(y)), x);
  }
}
