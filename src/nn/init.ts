/** First weights, written in place. Formulas and defaults are those of torch.nn.init (He et al. 2015). */
import { type Generator, noGrad, type Tensor } from "../torch/index.js";

let skips = false;

/**
 * Makes modules whose weights are not drawn but left as memory has them: for networks of which only the layout matters, or
 * whose weights are loaded at once. Weights that a module fills by itself, not by a function of this file, are filled.
 */
export function withoutInitialisation<T>(make: () => T): T {
  const before = skips;
  skips = true;
  try {
    return make();
  } finally {
    skips = before;
  }
}

/** How many values each output of a weight [O, I, ...] is made of (fan-in), and each input goes into (fan-out). */
function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  const [outputs = 1, inputs = 1, ...window] = weight.shape;
  const area = window.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * area, fanOut: outputs * area };
}

/** Draws from a normal distribution of variance 2 / fan-out, which keeps the gradients' scale through layers of ReLU. */
export function kaimingNormalFanOut(weight: Tensor, generator: Generator): void {
  if (skips) return;
  const std = Math.sqrt(2 / fans(weight).fanOut);
  noGrad(() => weight.normal_(0, std, { generator }));
}

/** Draws from a normal distribution of variance 2 / fan-in, which keeps the activations' scale through layers of ReLU. */
export function kaimingNormalFanIn(weight: Tensor, generator: Generator): void {
  if (skips) return;
  const std = Math.sqrt(2 / fans(weight).fanIn);
  noGrad(() => weight.normal_(0, std, { generator }));
}

/** Draws from a normal distribution of mean 0. @param std its standard deviation */
export function normal(weight: Tensor, std: number, generator: Generator): void {
  if (skips) return;
  noGrad(() => weight.normal_(0, std, { generator }));
}

/** Draws uniformly within ±1 / sqrt(fan-in), as PyTorch's layers begin. @param fanIn of the weight, for a layer's bias */
export function uniformFanIn(tensor: Tensor, generator: Generator, fanIn = fans(tensor).fanIn): void {
  if (skips) return;
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  noGrad(() => tensor.uniform_(-bound, bound, { generator }));
}
