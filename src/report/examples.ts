import { mostDifferentImages, type Predictions } from "../analysis/index.js";
import { type AnyDataset, shuffled } from "../data/index.js";
import { readableClass } from "../interop/index.js";
import { pictureOf } from "./picture.js";

/** A network of the run, with its predictions for the test images. */
export interface Network {
  name: string;
  generation: number;
  predictions: Predictions;
}

/** A test image with the predictions of the first and the last network. */
export interface Example {
  /** The position of the image in the test set, from 0. */
  index: number;
  /** The image as a PNG, in a data URI. */
  picture: string;
  /** The name of the class that the image is labelled with. */
  label: string;
  /**
   * The prediction of each network: its five highest scores, highest first, and whether the best one is the
   * label.
   */
  predictions: { name: string; generation: number; correct: boolean; best: Score[] }[];
}

interface Score {
  className: string;
  score: number;
  isLabel: boolean;
}

/** Says on the page how the examples were chosen. */
export const howChosen =
  "Chosen by lot, with a fixed seed: six of the test images that the patriarch gets right, then six that it gets wrong.";

/** Chooses the examples as `howChosen` says. */
export function chooseExamples(dataset: AnyDataset, networks: readonly Network[]): Promise<Example[]> {
  const { test } = dataset;
  const patriarch = networks[0]!.predictions;
  const order = shuffled(
    Int32Array.from({ length: test.count }, (_, i) => i),
    0,
  );
  const right = (i: number) => patriarch.topClasses[i] === test.labels[i];
  const chosen = [...order.filter(right).slice(0, 6), ...order.filter((i) => !right(i)).slice(0, 6)];
  return showImages(dataset, networks, chosen);
}

/** The six images for which the scores of the first and the last network differ most. */
export function chooseDifferent(dataset: AnyDataset, networks: readonly Network[]): Promise<Example[]> {
  const [first, last] = [networks[0]!.predictions, networks.at(-1)!.predictions];
  const chosen = mostDifferentImages(first, last, { most: 6 }).map(({ image }) => image);
  return showImages(dataset, networks, chosen);
}

/** The six images that the last network gets wrong with the highest scores; equally high ones in the set's order. */
export function chooseMistakes(dataset: AnyDataset, networks: readonly Network[]): Promise<Example[]> {
  const { labels, count } = dataset.test;
  const last = networks.at(-1)!.predictions;
  const wrong = Array.from({ length: count }, (_, i) => i).filter((i) => last.topClasses[i] !== labels[i]);
  const scoreOf = new Map(wrong.map((i) => [i, last.scores(i)[last.topClasses[i]!]!]));
  const chosen = wrong.sort((a, b) => scoreOf.get(b)! - scoreOf.get(a)!).slice(0, 6);
  return showImages(dataset, networks, chosen);
}

function showImages(
  { test, classNames }: AnyDataset,
  networks: readonly Network[],
  images: readonly number[],
): Promise<Example[]> {
  return Promise.all(
    images.map(async (index) => {
      const label = test.labels[index]!;
      return {
        index,
        picture: await pictureOf(test, index),
        label: readableClass(classNames[label]!),
        predictions: networks.map(({ name, generation, predictions }) => {
          const scores = predictions.scores(index);
          const ranked = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 5);
          const best = ranked.map((c) => ({
            className: readableClass(classNames[c]!),
            score: scores[c]!,
            isLabel: c === label,
          }));
          return { name, generation, correct: ranked[0] === label, best };
        }),
      };
    }),
  );
}
