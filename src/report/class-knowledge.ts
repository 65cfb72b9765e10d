import { classAccuracies, confusionPairs } from "../analysis/index.js";
import { readableClass } from "../interop/index.js";
import type { Network } from "./examples.js";
import type { NamedLabels } from "./run-contents.js";

/** What the last network of a run knows of single classes, beside the first one. */
export interface ClassKnowledge {
  /** The names of the networks compared: the first, and the last where there are two. */
  networks: string[];
  /** The classes of which the last network knows least, lowest accuracy first; accuracies as `networks`. */
  hardest: { className: string; images: number; accuracies: number[] }[];
  /** All classes that have images, in the data set's order. */
  all: ClassKnowledge["hardest"];
  /** The classes that the last network most often takes for another, most images first. */
  confused: { className: string; takenFor: string; images: number; of: number }[];
}

/** The most rows in each table of classes. */
const MOST = 8;

/** Finds the classes that the last network finds hardest, and the pairs that it confuses most often. */
export function classKnowledge(
  { labels, classNames }: NamedLabels,
  networks: readonly Network[],
): ClassKnowledge {
  const each = networks.map(({ predictions }) => classAccuracies(predictions, labels));
  const last = each.at(-1)!;
  const all = last
    .filter(({ images }) => images > 0)
    .map(({ label, images }) => ({
      className: readableClass(classNames[label]!),
      images,
      accuracies: each.map((classes) => classes[label]!.accuracy),
    }));
  // A stable order: of equally hard classes the first of the data set comes first.
  const hardest = all.toSorted((a, b) => a.accuracies.at(-1)! - b.accuracies.at(-1)!).slice(0, MOST);
  const pairs = confusionPairs(networks.at(-1)!.predictions, labels, { most: MOST });
  const confused = pairs.map(({ label, predicted, images }) => ({
    className: readableClass(classNames[label]!),
    takenFor: readableClass(classNames[predicted]!),
    images,
    of: last[label]!.images,
  }));
  return { networks: networks.map(({ name }) => name), hardest, confused, all };
}
