import type { Predictions } from "./predictions.js";

/** Images of one class that a network takes for another: an entry of the confusion matrix off its diagonal. */
export interface ConfusionPair {
  /** The class that the images are labelled with. */
  label: number;
  /** The class that is predicted for them. */
  predicted: number;
  /** How many images this happens to. */
  images: number;
}

/**
 * Finds which classes a network takes for which others, most images first; pairs of as many images are in
 * the order of their labels and predictions.
 *
 * @param labels N labels, each in 0 .. C - 1
 * @param options.most how many pairs are returned at most. Default: all that occur
 */
export function confusionPairs(
  network: Predictions,
  labels: ArrayLike<number>,
  { most = Number.POSITIVE_INFINITY }: { most?: number } = {},
): ConfusionPair[] {
  const counts = new Map<number, number>();
  network.topClasses.forEach((predicted, i) => {
    const label = labels[i]!;
    if (predicted === label) return;
    const pair = label * network.classes + predicted;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  });
  return [...counts]
    .sort(([a, some], [b, others]) => others - some || a - b)
    .slice(0, most)
    .map(([pair, images]) => ({
      label: Math.floor(pair / network.classes),
      predicted: pair % network.classes,
      images,
    }));
}
