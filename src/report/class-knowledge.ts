import { classAccuracies, confusionPairs } from "../analysis/index.js";
import type { AnyDataset } from "../data/index.js";
import type { Network } from "./examples.js";

/** What the last network of a run knows of single classes, beside the first one. */
export interface ClassKnowledge {
  /** The names of the networks compared: the first, and the last where there are two. */
  networks: string[];
  /** The classes of which the last network knows least, lowest accuracy first; accuracies as `networks`. */
  hardest: { className: string; images: number; accuracies: number[] }[];
  /** The classes that the last network most often takes for another, most images first. */
  confused: { className: string; takenFor: string; images: number; of: number }[];
}

/** The most rows in each table of classes. */
const MOST = 8;

/** Finds the classes that the last network finds hardest, and the pairs that it confuses most often. */
export function classKnowledge(
  { test: { labels }, classNames }: AnyDataset,
  networks: readonly Network[],
): ClassKnowledge {
  const each = networks.map(({ predictions }) => classAccuracies(predictions, labels));
  const last = each.at(-1)!;
  const hardest = last
    .filter(({ images }) => images > 0)
    .sort((a, b) => a.accuracy - b.accuracy || a.label - b.label)
    .slice(0, MOST)
    .map(({ label, images }) => ({
      className: classNames[label]!,
      images,
      accuracies: each.map((classes) => classes[label]!.accuracy),
    }));
  const pairs = confusionPairs(networks.at(-1)!.predictions, labels, { most: MOST });
  const confused = pairs.map(({ label, predicted, images }) => ({
    className: classNames[label]!,
    takenFor: classNames[predicted]!,
    images,
    of: last[label]!.images,
  }));
  return { networks: networks.map(({ name }) => name), hardest, confused };
}
