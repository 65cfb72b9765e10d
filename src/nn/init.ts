/** First weights, written in place. Formulas and defaults are those of torch.nn.init (He et al. 2015). */
import { type Generator, noGrad, type Tensor } from "../torch/index.js";

/** Inputs and outputs of a weight [O, I, ...], each times the size of what follows. */
function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  const [outputs = 1, inputs = 1, ...window] = weight.shape;
  const area = window.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * area, fanOut: outputs * area };
}

/** Normal with variance 2 / fan-out: keeps the gradients' scale through layers of ReLU. */
export function kaimingNormalFanOut(weight: Tensor, generator: Generator): void {
  const std = Math.sqrt(2 / fans(weight).fanOut);
  noGrad(() => weight.normal_(0, std, { generator }));
}

/** Uniform within ±1 / sqrt(fan-in), the default of PyTorch's layers. Also for their bias, by `fanIn`. */
export function uniformFanIn(tensor: Tensor, generator: Generator, fanIn = fans(tensor).fanIn): void {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  noGrad(() => tensor.uniform_(-bound, bound, { generator }));
}
