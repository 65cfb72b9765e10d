import type { Summary } from "../runs/types.js";
import type { Comparison } from "./comparison.js";
import { count, percent } from "./numbers.js";

const points = (fraction: number) => Math.abs(100 * fraction).toFixed(2);
const signed = (fraction: number) => `${fraction < 0 ? "−" : "+"}${points(fraction)}`;

/**
 * Says the result of a run in up to three plain sentences, with no more certainty than one run gives.
 *
 * @param comparison compares the last network with the first, where both networks' logits and the images are
 *   there
 */
export function headline(
  { generations, ensembles }: Summary,
  { testImages, comparison }: { testImages?: number | undefined; comparison?: Comparison | undefined },
): string[] {
  const first = generations[0]!;
  const last = generations.at(-1)!;
  const images = testImages === undefined ? "the test images" : `the ${count(testImages)} test images`;
  if (generations.length === 1) return [`The patriarch gets ${percent(first.test.top1)} of ${images} right.`];

  const together = ensembles[`0-${last.generation}`];
  const sentences = [
    `The last of ${generations.length} networks gets ${percent(last.test.top1)} of ${images} right, ` +
      `the patriarch ${percent(first.test.top1)}` +
      `${together ? `, all of them together ${percent(together.test.top1)}` : ""}.`,
  ];
  const difference = last.test.top1 - first.test.top1;
  const verdict =
    difference === 0
      ? "The line ended where it began"
      : `The line ${difference > 0 ? "gained" : "lost"} ${points(difference)} points`;
  if (comparison) {
    const unclear = comparison.low <= 0 && comparison.high >= 0;
    sentences.push(
      `${verdict}; the choice of test images alone leaves that between ${signed(comparison.low)} and ` +
        `${signed(comparison.high)} (95 %)${unclear ? ", so it may as well be nothing" : ""}.`,
    );
  } else sentences.push(`${verdict}.`);
  sentences.push("This is one run with one seed: how much another seed would change it, it cannot say.");
  return sentences;
}
