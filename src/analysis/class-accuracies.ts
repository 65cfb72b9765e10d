import type { Predictions } from "./predictions.js";

/** How well a network knows one class. */
export interface ClassAccuracy {
  /** The class, 0 .. C - 1. */
  label: number;
  /** The number of images with this label. */
  images: number;
  /** How many of them are predicted right. */
  right: number;
  /** The fraction of them that is predicted right, the recall of the class; NaN where there are no such images. */
  accuracy: number;
}

/**
 * Counts for each class how many of its images are predicted right.
 *
 * @param labels N labels, each in 0 .. C - 1
 * @returns one for each class, [C], in the classes' order
 */
export function classAccuracies(network: Predictions, labels: ArrayLike<number>): ClassAccuracy[] {
  const [images, right] = [new Int32Array(network.classes), new Int32Array(network.classes)];
  network.correct(labels).forEach((correct, i) => {
    images[labels[i]!]!++;
    right[labels[i]!]! += correct;
  });
  return Array.from(images, (count, label) => ({
    label,
    images: count,
    right: right[label]!,
    accuracy: right[label]! / count,
  }));
}
