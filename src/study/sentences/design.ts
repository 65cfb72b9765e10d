/** What the design of a study can see, and what a correction for many arms does to it. */
import { type PairedDifference, withoutRepeated } from "../paired.js";
import { MOST_SEEDS, seedsNeeded, smallestDifference } from "../statistics/index.js";
import type { StudyResult } from "../types.js";
import { scalarMetric } from "../values.js";
import { countOf, differenceText, digitsFor, signedText } from "../words.js";
import { findingOf, sidesInWords } from "./difference.js";

/**
 * Says the smallest difference that a design can see: "With 5 seeds the smallest difference that is found in 8 of
 * 10 such studies is 0.7 points …".
 *
 * @param options.seeds the number of seeds
 * @param options.deviation the standard deviation of paired differences from seed to seed, in the metric's unit
 * @param options.assumed whether the deviation was assumed before the study, and not observed in it
 */
export function designSentence({
  seeds,
  deviation,
  metric = "top1",
  assumed = false,
}: {
  seeds: number;
  deviation: number;
  metric?: string;
  assumed?: boolean;
}): string {
  if (seeds < 2)
    return "One seed can see no difference, whatever its size: at least two are needed for a 95 % interval over seeds.";
  const write = writer(metric, deviation);
  const found = `when paired differences deviate by ${write(deviation)} from seed to seed, as ${assumed ? "was assumed" : "they do here"}`;
  const smallest = smallestDifference({ seeds, deviation });
  const two =
    seeds === 2
      ? " An interval over two seeds is right only where differences are normal, which two cannot show: what they tell calls for more seeds."
      : "";
  return `With ${countOf(seeds, "seed")} the smallest difference that is found in 8 of 10 such studies is ${write(smallest)} (two-sided 5 %, one comparison), ${found}.${two}`;
}

/**
 * Says how many seeds would be needed to tell a difference as large as the one that was observed. It is a help to plan
 * with, and no result: both numbers in it are estimates, and the difference may be 0.
 *
 * @returns undefined where the difference was told, is 0, or has no deviation to reckon with
 */
export function seedsNeededSentence(
  study: Pick<StudyResult, "arms">,
  comparison: PairedDifference,
): string | undefined {
  const { difference, deviation, metric, seeds, together } = comparison;
  if (deviation === undefined || difference === 0 || findingOf(comparison) !== "none") return undefined;
  const needed = seedsNeeded({ difference, deviation, alpha: 0.05 / together });
  // A sample can by chance vary so little that fewer seeds than it has seem to be enough.
  if (needed <= seeds.length) return undefined;
  const count = Number.isFinite(needed)
    ? countOf(needed, "seed")
    : `more than ${countOf(MOST_SEEDS, "seed")}`;
  const size = Math.abs(difference);
  const corrected = together > 1 ? `, corrected for ${together} arms` : "";
  const [a, b] = sidesInWords(study, comparison);
  return (
    `To tell ${writer(metric, size)(size)} between ${a} and ${b}, were this the true difference and the deviation ` +
    `(${writer(metric, deviation)(deviation)}) the true one, would take about ${count} (power 0.8, two-sided 5 %${corrected}); there are ` +
    `${seeds.length}.`
  );
}

/**
 * Says which comparisons are corrected together and which are not, and which intervals hold for all of them at once.
 *
 * @returns undefined where there is one comparison alone
 */
export function correctionSentence(comparisons: readonly PairedDifference[]): string | undefined {
  const together = Math.max(0, ...comparisons.map((one) => one.together));
  const tested = withoutRepeated(comparisons).filter(({ p }) => p !== undefined);
  const places = new Set(tested.map(({ generation }) => generation)).size;
  const arms =
    `Up to ${together} arms are compared with one at each place: p is corrected for that by Holm's method. ` +
    "Each 95 % interval over seeds is for its comparison by itself; the simultaneous ones (Bonferroni) hold for all arms at " +
    "a place together.";
  const among =
    `Nothing is corrected for the ${places} places (generations, ensembles), nor for what one more generation gives: ` +
    "of 20 comparisons without a true difference about one is told by chance.";
  const said = [...(together > 1 ? [arms] : []), ...(places > 1 ? [among] : [])];
  return said.length > 0 ? said.join(" ") : undefined;
}

function writer(metric: string, typical: number): (value: number) => string {
  const { factor, unit, digits: range } = differenceText(scalarMetric(metric));
  const digits = digitsFor([typical * factor], typical * factor, range);
  return (value) => `${signedText(value * factor, digits)}${unit}`;
}
