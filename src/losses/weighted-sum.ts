import type { Tensor } from "../torch/index.js";

/**
 * Adds scalars by their weights: `w1 · t1 + w2 · t2 + …`. A term of weight 0 is left out, because an infinite one (a
 * label whose class is masked) would make the sum NaN.
 *
 * @param terms at least one scalar with its weight
 */
export function weightedSum(...terms: readonly (readonly [Tensor, number])[]): Tensor {
  const counted = terms.filter(([, weight]) => weight !== 0);
  const [first, ...others] = counted.length > 0 ? counted : terms.slice(-1);
  if (!first) throw new TypeError("weightedSum needs at least one term");
  const [tensor, weight] = first;
  return others.reduce((sum, [term, alpha]) => sum.add(term, { alpha }), tensor.mul(weight));
}
