/** What a study lacks: networks that are not trained, seeds that do not count, numbers that are none. */
import type { PairedDifference } from "../paired.js";
import type { ArmResult, StudyResult } from "../types.js";
import { countOf, listed } from "../words.js";

/** How many arms a sentence names at most. */
const MOST_ARMS = 5;

/**
 * Says how many networks are trained and which arms lack some.
 *
 * @returns undefined where none is missing
 */
export function missingSentence({
  arms,
  trained: { done, of },
}: Pick<StudyResult, "arms" | "trained">): string | undefined {
  if (done >= of) return undefined;
  const lacking = arms.flatMap((arm) => {
    const seeds = arm.lines.filter((line) => lacksSome(arm, line.networks)).map(({ seed }) => seed);
    return seeds.length > 0 ? [`${arm.name} (${seedList(seeds)})`] : [];
  });
  const missing = of - done === 1 ? "1 is missing" : `${of - done} are missing`;
  const more = lacking.length - MOST_ARMS;
  const named = more > 1 ? [...lacking.slice(0, MOST_ARMS), `${more} other arms`] : lacking;
  return `${done} of ${countOf(of, "network")} are trained; ${missing}, of ${listed(named)}.`;
}

/**
 * Says what a verdict before the end is worth: looking again and again at p as seeds come in, until it is small
 * once, finds more than it may (Armitage, McPherson and Rowe 1969).
 *
 * @returns undefined where the study is finished
 */
export function interimSentence({ trained: { done, of } }: Pick<StudyResult, "trained">): string | undefined {
  if (done >= of) return undefined;
  return (
    "This is a look in between: who looks more than once and stops at a small p finds differences by chance more often " +
    "than p says. The verdict that counts is that of the finished study."
  );
}

const lacksSome = ({ generations }: ArmResult, networks: readonly unknown[]) =>
  Array.from({ length: generations }, (_, g) => networks[g]).some((network) => network === undefined);

/**
 * Says which seeds do not count in comparisons: those that only one arm has, and those with a value that is no
 * number. One sentence for each arm and reason; none for an arm that has no value at all yet, which is missing, not left
 * out.
 */
export function leftOutSentences(comparisons: readonly PairedDifference[]): string[] {
  const begun = comparisons.filter(
    ({ seeds, alone, noNumber }) =>
      seeds.length > 0 || noNumber.length > 0 || (alone.a.length > 0 && alone.b.length > 0),
  );
  const sentences = begun.flatMap(({ a, b, alone, noNumber, metric }) => [
    ...(alone.a.length > 0
      ? [`Only ${a} has a value for ${seedList(alone.a)}, and ${b} none: left out.`]
      : []),
    ...(alone.b.length > 0
      ? [`Only ${b} has a value for ${seedList(alone.b)}, and ${a} none: left out.`]
      : []),
    ...(noNumber.length > 0
      ? [
          `${a} or ${b} has no number as ${metric} for ${seedList(noNumber)}, as of a training that diverged: left out.`,
        ]
      : []),
  ]);
  return [...new Set(sentences)];
}

/** Lists seeds as a sentence does: "seed 2", "seeds 0, 1 and 2". */
const seedList = (seeds: readonly number[]) =>
  `${seeds.length > 1 ? "seeds" : "seed"} ${listed(seeds.map(String))}`;
