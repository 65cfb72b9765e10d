import type { Answers } from "./answers.js";

/** How two networks differ on the same images: fractions of them. */
export interface Comparison {
  /** Of images that the second gets right, less those that the first does. */
  difference: number;
  /** Where the difference would lie for 95 of 100 draws of as many images. */
  low: number;
  high: number;
}

/**
 * The second network's accuracy less the first one's, with the 95 % interval that comes from the choice of images
 * alone: paired, so only images on which one is right and the other wrong count (McNemar's variance, Wald's interval).
 */
export function compareAnswers(first: Answers, second: Answers, labels: Int32Array): Comparison {
  const n = labels.length;
  let gained = 0;
  let lost = 0;
  labels.forEach((label, i) => {
    const before = first.top(i) === label;
    const after = second.top(i) === label;
    if (after && !before) gained++;
    if (before && !after) lost++;
  });
  const difference = (gained - lost) / n;
  const deviation = Math.sqrt((gained + lost) / n - difference ** 2) / Math.sqrt(n);
  return { difference, low: difference - 1.96 * deviation, high: difference + 1.96 * deviation };
}

/** Half the width of the 95 % interval of an accuracy measured on n images (normal approximation). */
export function accuracyMargin(accuracy: number, n: number): number {
  return 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / n);
}
