import type { Tensor } from "../torch/index.js";

/**
 * `w1 · t1 + w2 · t2` of two scalars. A term of weight 0 is left out, because an infinite one (a label whose class is
 * masked) would make the sum NaN.
 */
export function weightedSum(
  [first, firstWeight]: readonly [Tensor, number],
  [second, secondWeight]: readonly [Tensor, number],
): Tensor {
  if (firstWeight === 0) return second.mul(secondWeight);
  if (secondWeight === 0) return first.mul(firstWeight);
  return first.mul(firstWeight).add(second, { alpha: secondWeight });
}
