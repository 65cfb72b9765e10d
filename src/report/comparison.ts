import type { Predictions } from "../analysis/index.js";

/**
 * The difference in accuracy between two networks on the same images; all numbers are fractions of these
 * images.
 */
export interface Comparison {
  /** The accuracy of the second network less that of the first. */
  difference: number;
  /** The lower end of the 95 % confidence interval of the difference. */
  low: number;
  /** The upper end of that interval. */
  high: number;
}

/**
 * Compares the accuracies of two networks, with a 95 % confidence interval for the choice of images alone.
 * The comparison is paired: only images that one network gets right and the other wrong count (McNemar's
 * variance, Wald's interval).
 *
 * @param labels one for each image that both networks saw
 */
export function comparePredictions(
  first: Predictions,
  second: Predictions,
  labels: ArrayLike<number>,
): Comparison {
  const n = labels.length;
  let gained = 0;
  let lost = 0;
  for (let i = 0; i < n; i++) {
    const before = first.topClasses[i] === labels[i];
    const after = second.topClasses[i] === labels[i];
    if (after && !before) gained++;
    if (before && !after) lost++;
  }
  const difference = (gained - lost) / n;
  const deviation = Math.sqrt((gained + lost) / n - difference ** 2) / Math.sqrt(n);
  return { difference, low: difference - 1.96 * deviation, high: difference + 1.96 * deviation };
}

/**
 * Gives half the width of the 95 % interval of an accuracy that was measured on n images (normal
 * approximation).
 */
export function accuracyMargin(accuracy: number, n: number): number {
  return 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / n);
}
