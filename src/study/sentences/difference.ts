/** What one comparison says, as a sentence. */
import type { PairedDifference } from "../paired.js";
import type { Pairing } from "../pairing.js";
import type { StudyResult } from "../types.js";
import { armNamed, scalarMetric } from "../values.js";
import { countOf, differenceText, digitsFor, measuredInWords, pText, signedText } from "../words.js";

/** The probability of a false finding that is accepted; the intervals' 95 % go with it. */
export const ALPHA = 0.05;

/** What a comparison can say: which side its first arm is on, or nothing. */
export type Finding = "above" | "below" | "none";

/** Says what a comparison finds, after the correction for the arms that are compared together. */
export function findingOf({
  adjusted,
  difference,
}: Pick<PairedDifference, "adjusted" | "difference">): Finding {
  if (adjusted === undefined || !(adjusted < ALPHA) || difference === 0) return "none";
  return difference > 0 ? "above" : "below";
}

/** A difference and its evidence, with the digits that its interval allows. */
export interface DifferenceWords {
  /** The size of the difference without its sign: "0.6 points". */
  amount: string;
  /** The size and the side: "0.6 points above"; "level" where the difference is 0. */
  placed: string;
  /** "95 % interval over seeds 0.2 to 1.0, 5 seeds"; where there is no such interval, why. */
  evidence: string;
  /** Writes another number of the same metric with the same digits: "1.0 points". */
  write: (value: number) => string;
  /** Writes such a number without its unit, for tables. */
  number: (value: number) => string;
}

/** Puts a difference and its evidence into words. */
export function differenceWords(
  metric: string,
  { difference, low, high, seeds }: Pick<Pairing, "difference" | "low" | "high" | "seeds">,
): DifferenceWords {
  const { factor, unit, digits: range } = differenceText(scalarMetric(metric));
  const interval = low === undefined || high === undefined ? undefined : ([low, high] as const);
  const shown = [difference, ...(interval ?? [])].map((value) => value * factor);
  const digits = digitsFor(shown, interval && ((interval[1] - interval[0]) / 2) * factor, range);
  const number = (value: number) => signedText(value * factor, digits);
  const amount = `${number(Math.abs(difference))}${unit}`;
  return {
    amount,
    placed: difference === 0 ? "level" : `${amount} ${difference > 0 ? "above" : "below"}`,
    evidence: interval
      ? `95 % interval over seeds ${number(interval[0])} to ${number(interval[1])}, ${countOf(seeds.length, "seed")}`
      : `no 95 % interval over seeds, since ${whyNoInterval(seeds)}`,
    write: (value) => `${number(value)}${unit}`,
    number,
  };
}

/** Two seeds or more lack an interval only where their differences are equal. */
function whyNoInterval(seeds: readonly number[]): string {
  return seeds.length === 1
    ? `there is only seed ${seeds[0]}`
    : `the differences of all ${countOf(seeds.length, "seed")} are equal, which does not show how another seed's would be`;
}

/**
 * Says what a comparison comes to: "tolerant's second student is 0.6 points above strict's, 95 % interval over
 * seeds 0.2 to 1.0, 5 seeds." or "No difference can be told between …".
 */
export function differenceSentence(study: StudyResult, comparison: PairedDifference): string {
  const { seeds, adjusted, p, together, difference } = comparison;
  const [a, b] = sidesInWords(study, comparison);
  if (seeds.length === 0) return `${a} and ${b} cannot be compared: no seed has both.`;
  const { placed, evidence } = differenceWords(comparison.metric, comparison);
  const side = difference === 0 ? "level with" : placed;
  if (seeds.length === 1) return `${a} is ${side} ${b}, ${evidence}: no difference can be told.`;
  const corrected = together > 1 ? `, p ${pText(adjusted)} for ${together} arms together` : "";
  if (findingOf(comparison) !== "none") return `${a} is ${side} ${b}, ${evidence}${corrected}.`;
  // One of many intervals may leave 0 out by chance: the sentence says why that is not enough.
  const but = p !== undefined && p < ALPHA ? ", which is too much for so many arms" : "";
  return `No difference can be told between ${a} and ${b}: ${placed}, ${evidence}${corrected}${but}.`;
}

/** Names the two sides of a comparison: "tolerant's second student" and "strict's", or "strict's third student". */
export function sidesInWords(
  study: Pick<StudyResult, "arms">,
  { a, b, of }: Pick<PairedDifference, "a" | "b" | "of">,
): [a: string, b: string] {
  const one = measuredInWords(of.a, armNamed(study, a));
  const other = measuredInWords(of.b, armNamed(study, b));
  // Ensembles of whole lines have the same name, and may yet have more members in one arm than in the other.
  const members = of.a === of.b ? "" : membersOf(of.b);
  return [
    `${a}'s ${one}${of.a === of.b ? "" : membersOf(of.a)}`,
    one === other && members === "" ? `${b}'s` : `${b}'s ${other}${members}`,
  ];
}

function membersOf(measured: PairedDifference["of"]["a"]): string {
  if (typeof measured === "number") return "";
  const [first, last] = measured.split("-").map(Number);
  return ` of ${last! - first! + 1}`;
}

/** Says for how many seeds comparisons count: "5 seeds", or "3 to 5 seeds" where they differ. */
export function seedsInWords(comparisons: readonly Pick<Pairing, "seeds">[]): string {
  const counts = comparisons.map(({ seeds }) => seeds.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return fewest === most ? countOf(most, "seed") : `${fewest} to ${countOf(most, "seed")}`;
}
