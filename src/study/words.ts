/** Puts the numbers of a study into words: differences with the digits that their uncertainty allows. */
import type { Metric } from "../analysis/index.js";
import type { ArmResult, ComparedPart } from "./types.js";
import type { Measured, Place } from "./values.js";

/** Names the images of a part: "the test images". */
export const partInWords = (part: ComparedPart): string =>
  ({ test: "the test images", heldOut: "the held-out images", transfer: "the images of the transfer" })[part];

const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];

/**
 * Names what of a line was measured: "patriarch", "second student", "network" for the only one of a line,
 * "ensemble" for that of a whole line, "ensemble of the first 2" for a part of it.
 */
export function measuredInWords(measured: Measured, { generations }: Pick<ArmResult, "generations">): string {
  if (typeof measured === "number") {
    if (generations === 1) return "network";
    return measured === 0 ? "patriarch" : `${ordinal(measured)} student`;
  }
  const [first, last] = measured.split("-").map(Number) as [number, number];
  if (first === 0 && last === generations - 1) return "ensemble";
  return first === 0 ? `ensemble of the first ${last + 1}` : `ensemble of generations ${first} to ${last}`;
}

/** Names the place of a comparison for a table: "patriarch", "student 2", "last", "ensemble", "ensemble 0–2". */
export function placeInWords(place: Place): string {
  if (place === "last" || place === "ensemble") return place;
  if (place === 0) return "patriarch";
  return typeof place === "number" ? `student ${place}` : `ensemble ${place.replace("-", "–")}`;
}

function ordinal(n: number): string {
  const ending = n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return ordinals[n - 1] ?? `${n}${ending}`;
}

/** How differences of one metric are written. */
export interface DifferenceText {
  /** The factor from the metric's unit to the one that is shown: 100 for fractions, shown in percent points. */
  factor: number;
  /** What stands behind a number, with its space: " points", " nats", or nothing. */
  unit: string;
  /** The fewest and the most digits behind the point. */
  digits: [fewest: number, most: number];
}

/** Says how differences of a metric are written: those of fractions in percent points. */
export function differenceText({ unit }: Pick<Metric, "unit">): DifferenceText {
  if (unit === "fraction") return { factor: 100, unit: " points", digits: [1, 2] };
  return { factor: 1, unit: unit === "nats" ? " nats" : "", digits: [2, 5] };
}

/**
 * Says how many digits a difference deserves: one digit where half the width of its interval is at least a
 * quarter of a point, two where it is less, and so on. Where an end that is not 0 would then be written as 0, one
 * more is given as far as there are more.
 *
 * @param ends the difference and the ends of its interval, in the unit that is shown
 * @param halfWidth half the width of the interval in that unit; undefined where there is none
 */
export function digitsFor(
  ends: readonly number[],
  halfWidth: number | undefined,
  [fewest, most]: readonly [number, number],
): number {
  // For 0.25 the exact result is 1, whatever the rounding of the logarithm.
  const wanted =
    halfWidth === undefined || !(halfWidth > 0) ? most : Math.ceil(-Math.log10(halfWidth / 2.5) - 1e-9);
  let digits = Math.min(most, Math.max(fewest, wanted));
  while (digits < most && ends.some((end) => end !== 0 && Number(Math.abs(end).toFixed(digits)) === 0))
    digits++;
  return digits;
}

/** Writes a number with its sign as a minus, where it has one: −0.3. What rounds to 0 has no sign. */
export function signedText(value: number, digits: number): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Writes p with two digits that count (0.034, 0.0021), or more where these would make 0.05 of it. */
export function pText(p: number | undefined): string {
  if (p === undefined || Number.isNaN(p)) return "–";
  if (p < 1e-4) return "below 0.0001";
  if (p >= 0.1) return String(Number(p.toFixed(2)));
  const texts = [2, 3, 4, 17].map((digits) => String(Number(p.toPrecision(digits))));
  return texts.find((text) => Number(text) !== 0.05) ?? "0.05";
}

/** Writes a number of things: "1 seed", "5 seeds". */
export const countOf = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** Lists things as a sentence does: "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Writes a duration in seconds as a person says it: "40 s", "6.6 min", "1.5 h". */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${seconds.toFixed(0)} s`;
  if (seconds < 99.5 * 60) return `${minutesOrHours(seconds / 60)} min`;
  return `${minutesOrHours(seconds / 3600)} h`;
}

const minutesOrHours = (value: number) => value.toFixed(value < 9.95 ? 1 : 0);
