import type * as torch from "../torch/index.js";

/** How many images are right, of all of them and of each class. */
export interface Accuracy {
  /** The fraction of the images whose best class is the label. */
  top1: number;
  /** The mean over the classes that have images of the fraction that is right of each: the measure of Caltech-101. */
  meanClassAccuracy: number;
}

/** @param scores [N, C]; @param labels [N] */
export function accuracyOf(scores: torch.Tensor, labels: Int32Array, classes: number): Accuracy {
  using best = scores.argmax(1);
  const [images, right] = [new Int32Array(classes), new Int32Array(classes)];
  best.toTypedArray().forEach((label: number | bigint, i: number) => {
    images[labels[i]!]!++;
    if (Number(label) === labels[i]) right[labels[i]!]!++;
  });
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const shares = [...right].map((count, c) => count / images[c]!).filter((share) => !Number.isNaN(share));
  return { top1: sum(right) / labels.length, meanClassAccuracy: sum(shares) / shares.length };
}
