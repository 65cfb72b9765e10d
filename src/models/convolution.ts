import { Conv2d, kaimingNormalFanOut } from "../nn/index.js";
import type { Generator } from "../torch/index.js";

/**
 * A convolution as these networks have them: without bias, padded so that a stride of 1 keeps the size, and begun with
 * normal weights of variance 2 / fan-out.
 *
 * @param window its odd number of rows and columns; @param groups into which the channels fall, each convolved by itself
 */
export function convolution(
  from: number,
  to: number,
  window: 1 | 3 | 7,
  { stride = 1, groups = 1, generator }: { stride?: number; groups?: number; generator: Generator },
): Conv2d {
  const made = new Conv2d(from, to, window, {
    stride,
    padding: (window - 1) / 2,
    groups,
    bias: false,
    generator,
  });
  kaimingNormalFanOut(made.weight, generator);
  return made;
}
