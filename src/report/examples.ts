import type { Predictions } from "../analysis/index.js";
import { type Dataset, shuffled } from "../data/index.js";
import { pictureOf } from "./picture.js";

/** A test image, and what the first and the last network predict for it. */
export interface Example {
  /** Its position in the test set, from 0. */
  index: number;
  /** A PNG, as a data URI. */
  picture: string;
  label: string;
  /** What each of the networks shown predicts: its five highest scores, highest first. */
  predictions: { name: string; generation: number; correct: boolean; best: Score[] }[];
}

interface Score {
  className: string;
  score: number;
  isLabel: boolean;
}

/** How the examples are chosen, in words for the page. */
export const howChosen =
  "Chosen by lot, with a fixed seed: six of the test images that the patriarch gets right, then six that it gets wrong.";

/** Draws the examples; see `howChosen`. */
export async function chooseExamples(
  { test, classNames }: Dataset,
  networks: readonly { name: string; generation: number; predictions: Predictions }[],
): Promise<Example[]> {
  const patriarch = networks[0]!.predictions;
  const order = shuffled(
    Int32Array.from({ length: test.count }, (_, i) => i),
    0,
  );
  const right = (i: number) => patriarch.topClasses[i] === test.labels[i];
  const chosen = [...order.filter(right).slice(0, 6), ...order.filter((i) => !right(i)).slice(0, 6)];
  return Promise.all(
    chosen.map(async (index) => {
      const label = test.labels[index]!;
      return {
        index,
        picture: await pictureOf(test, index),
        label: classNames[label]!,
        predictions: networks.map(({ name, generation, predictions }) => {
          const scores = predictions.scores(index);
          const ranked = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 5);
          const best = ranked.map((c) => ({
            className: classNames[c]!,
            score: scores[c]!,
            isLabel: c === label,
          }));
          return { name, generation, correct: ranked[0] === label, best };
        }),
      };
    }),
  );
}
