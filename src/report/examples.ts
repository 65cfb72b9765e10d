import { type Dataset, shuffled } from "../data/index.js";
import type { Answers } from "./answers.js";
import { pictureOf } from "./picture.js";

/** A test image, and what the first and the last network make of it. */
export interface Example {
  /** Its place in the test set. */
  index: number;
  /** PNG as a data URI. */
  picture: string;
  label: string;
  /** One for each network shown; the five highest scores, highest first. */
  answers: { name: string; generation: number; correct: boolean; best: Score[] }[];
}

interface Score {
  className: string;
  score: number;
  isLabel: boolean;
}

/** In words, for the page. */
export const howChosen =
  "Chosen by lot, with a fixed seed: six of the test images that the patriarch gets right, then six that it gets wrong.";

/** Draws the examples; see `howChosen`. */
export async function chooseExamples(
  { test, classNames }: Dataset,
  networks: readonly { name: string; generation: number; answers: Answers }[],
): Promise<Example[]> {
  const patriarch = networks[0]!.answers;
  const order = shuffled(
    Int32Array.from({ length: test.count }, (_, i) => i),
    0,
  );
  const right = (i: number) => patriarch.top(i) === test.labels[i];
  const chosen = [...order.filter(right).slice(0, 6), ...order.filter((i) => !right(i)).slice(0, 6)];
  return Promise.all(
    chosen.map(async (index) => {
      const label = test.labels[index]!;
      return {
        index,
        picture: await pictureOf(test, index),
        label: classNames[label]!,
        answers: networks.map(({ name, generation, answers }) => {
          const scores = answers.scores(index);
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
