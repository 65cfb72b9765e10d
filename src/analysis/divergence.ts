import { checkAlike } from "./logits.js";
import type { Predictions } from "./predictions.js";

/**
 * Computes the Jensen-Shannon divergence of two distributions:
 * `½ KL(p ‖ m) + ½ KL(q ‖ m)` with `m = (p + q) / 2` (Lin 1991).
 *
 * @param p probabilities [C]
 * @param q probabilities [C]
 * @returns nats, from 0 where both are the same to ln 2 where they share no class
 */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < p.length; c++) {
    const both = p[c]! + q[c]!;
    // Probabilities of 0 add nothing, though their logarithm is infinite.
    if (p[c]! > 0) sum += p[c]! * Math.log((2 * p[c]!) / both);
    if (q[c]! > 0) sum += q[c]! * Math.log((2 * q[c]!) / both);
  }
  // Rounding may leave a sum that is a little less than 0.
  return Math.max(0, sum / 2);
}

/** An image, and how much two networks differ on it. */
export interface ImageDifference {
  /** The position of the image in the set, from 0. */
  image: number;
  /** The Jensen-Shannon divergence of the two networks' scores, in nats: 0 .. ln 2. */
  divergence: number;
}

/**
 * Finds the images on which two networks differ most, such as the first and the last generation of a line, by
 * the Jensen-Shannon divergence of their scores.
 *
 * @param first predictions for N images
 * @param second predictions for the same images in the same order
 * @param options.most how many images are returned at most. Default: 10
 * @returns the images, most different first; images of one divergence in the order of the set
 * @throws TypeError when the shapes differ, RangeError when a row has no softmax
 */
export function mostDifferentImages(
  first: Predictions,
  second: Predictions,
  { most = 10 }: { most?: number } = {},
): ImageDifference[] {
  checkAlike(first.logits, second.logits, "the logits compared");
  const [p, q] = [new Float64Array(first.classes), new Float64Array(first.classes)];
  return Array.from({ length: first.images }, (_, image) => ({
    image,
    divergence: jensenShannon(first.scores(image, p), second.scores(image, q)),
  }))
    .sort((a, b) => b.divergence - a.divergence || a.image - b.image)
    .slice(0, most);
}
