import type { Predictions } from "../analysis/index.js";

/** How two networks differ on the same images; all are fractions of these images. */
export interface Comparison {
  /** The second network's accuracy less the first one's. */
  difference: number;
  /** The interval in which the difference would lie for 95 of 100 draws of as many images. */
  low: number;
  high: number;
}

/**
 * Compares the accuracies of two networks, with the 95 % interval that comes from the choice of images alone. It is a
 * paired one: only images that one network gets right and the other wrong count (McNemar's variance, Wald's interval).
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

/** Half the width of the 95 % interval of an accuracy that was measured on n images (normal approximation). */
export function accuracyMargin(accuracy: number, n: number): number {
  return 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / n);
}
