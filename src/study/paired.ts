/** Compares the arms of a study in pairs, place by place, and corrects what is compared together. */
import { type Pairing, pair } from "./pairing.js";
import { estimateMean, holm, type Interval } from "./statistics/index.js";
import type { ArmResult, ComparedPart, StudyResult } from "./types.js";
import {
  areShared,
  armNamed,
  type Measure,
  type Measured,
  measuredAt,
  type Place,
  scalarMetric,
  valuesOf,
} from "./values.js";

/** What two arms of a study differ by, at one place of their lines. */
export interface PairedDifference extends Pairing, Measure {
  /** The arm that is compared, whose values come first in the difference. */
  a: string;
  /** The arm that it is compared with. */
  b: string;
  generation: Place;
  /** What of each arm was measured. */
  of: { a: Measured; b: Measured };
  /** The p after Holm's correction for all arms that are compared at this place. */
  adjusted: number | undefined;
  /** The number of comparisons that are corrected together. */
  together: number;
  /**
   * The interval that holds for all comparisons at this place together with 95 % (Bonferroni); undefined where
   * there is only one, or no interval.
   */
  simultaneous: Interval | undefined;
}

export interface PairedOptions {
  /** The name of a metric that is one number. Default: "top1". */
  metric?: string;
  /** The images that it was measured on. Default: the study's part. */
  part?: ComparedPart;
  /** The arm that the others are compared with. Default: the study's reference. */
  reference?: string;
  /** Decides the bootstrap's resamples; false where its intervals are not needed. Default: 0. */
  bootstrapSeed?: number | false;
}

/**
 * Compares each arm of a study with the reference, over the seeds that both have: at each generation that both
 * lines have, at the last network of each, and the ensembles of the whole lines. Where lines are of different
 * length, the ensembles of as many generations as both have are compared too. A line of one network is its own
 * ensemble. Left out are places where both arms share their networks, and where neither has a value.
 *
 * @returns in the order of the arms; for each, generations first, then "last", ensembles last
 * @throws RangeError when there is no such metric or no such arm
 */
export function paired(study: StudyResult, options: PairedOptions = {}): PairedDifference[] {
  const measure = { metric: options.metric ?? "top1", part: options.part ?? study.part };
  scalarMetric(measure.metric);
  const b = armNamed(study, options.reference ?? study.reference);
  const found = study.arms
    .filter((arm) => arm !== b)
    .flatMap((a) =>
      placesOf(a, b).flatMap((place) =>
        compareAt(a, b, place, { ...measure, bootstrapSeed: options.bootstrapSeed ?? 0 }),
      ),
    );
  return correctedTogether(found);
}

/**
 * Compares two arms at one place, without any correction.
 *
 * @param options.bootstrapSeed decides the bootstrap's resamples; no such interval where it is left out
 * @returns none where a line has nothing there, both share what stands there, or neither has a value
 */
export function compareAt(
  a: ArmResult,
  b: ArmResult,
  place: Place,
  options: Measure & Pick<PairedOptions, "bootstrapSeed">,
): PairedDifference[] {
  const [ofA, ofB] = [measuredAt(a, place), measuredAt(b, place)];
  if (ofA === undefined || ofB === undefined) return [];
  return compareMeasured({ arm: a, of: ofA }, { arm: b, of: ofB }, place, options);
}

/**
 * Compares what was measured of two arms, or of two generations of one arm.
 *
 * @returns none where both are the same, or neither has a value
 */
export function compareMeasured(
  a: { arm: ArmResult; of: Measured },
  b: { arm: ArmResult; of: Measured },
  place: Place,
  options: Measure & Pick<PairedOptions, "bootstrapSeed">,
): PairedDifference[] {
  if (areShared(a.arm, a.of, b.arm, b.of)) return [];
  const { bootstrapSeed = false, metric, part } = options;
  const measure = { metric, part };
  const [valuesA, valuesB] = [valuesOf(a.arm, a.of, measure), valuesOf(b.arm, b.of, measure)];
  // A patriarch has no teacher to agree with, and a single network no members: such metrics are not compared there.
  if (valuesA.size === 0 && valuesB.size === 0) return [];
  const pairing = pair(valuesA, valuesB, bootstrapSeed);
  return [
    {
      a: a.arm.name,
      b: b.arm.name,
      generation: place,
      of: { a: a.of, b: b.of },
      ...measure,
      ...pairing,
      adjusted: pairing.p,
      together: 1,
      simultaneous: undefined,
    },
  ];
}

/**
 * Leaves out comparisons of a generation that stand there as those of the last networks too. These are corrected for
 * all arms, lines of one network among them, so that no comparison has two p.
 */
export function withoutRepeated(comparisons: readonly PairedDifference[]): PairedDifference[] {
  const lasts = comparisons.filter(({ generation }) => generation === "last");
  return comparisons.filter(
    (one) =>
      typeof one.generation !== "number" ||
      !lasts.some(({ a, of }) => a === one.a && of.a === one.of.a && of.b === one.of.b),
  );
}

/** Turns a comparison round: b with a. */
export function swapped(comparison: PairedDifference): PairedDifference {
  const { a, b, of, alone, difference, low, high, differences } = comparison;
  const negated = (value: number) => 0 - value;
  const mirrored = (interval: Interval | undefined) =>
    interval && { low: negated(interval.high), high: negated(interval.low) };
  return {
    ...comparison,
    a: b,
    b: a,
    of: { a: of.b, b: of.a },
    alone: { a: alone.b, b: alone.a },
    difference: negated(difference),
    low: high === undefined ? undefined : negated(high),
    high: low === undefined ? undefined : negated(low),
    bootstrap: mirrored(comparison.bootstrap),
    simultaneous: mirrored(comparison.simultaneous),
    differences: differences.map(negated),
  };
}

/**
 * Corrects comparisons at the same place for each other: Holm's p, and Bonferroni's simultaneous intervals. Those
 * without a p, of fewer than two seeds or of equal differences, do not count.
 */
function correctedTogether(comparisons: readonly PairedDifference[]): PairedDifference[] {
  const adjusted = new Map<PairedDifference, Partial<PairedDifference>>();
  for (const place of new Set(comparisons.map(({ generation }) => generation))) {
    const members = comparisons.filter((one) => one.generation === place && one.p !== undefined);
    const p = holm(members.map((one) => one.p));
    members.forEach((one, i) => {
      const interval =
        members.length > 1
          ? estimateMean(one.differences, { confidence: 1 - 0.05 / members.length }).interval
          : undefined;
      adjusted.set(one, { adjusted: p[i], together: members.length, simultaneous: interval });
    });
  }
  return comparisons.map((one) => ({ ...one, ...adjusted.get(one) }));
}

/** Lists the places at which two lines are compared. */
function placesOf(a: ArmResult, b: ArmResult): Place[] {
  const common = Math.min(a.generations, b.generations);
  const longer = Math.max(a.generations, b.generations);
  // The one network of a line without generations is no patriarch: it may have trained for as long as a whole line.
  const alike = common === 1 && longer > 1 ? 0 : common;
  const places: Place[] = Array.from({ length: alike }, (_, generation) => generation);
  places.push("last");
  if (longer > 1) places.push("ensemble");
  if (common > 1 && longer > common) places.push(`0-${common - 1}`);
  return places;
}
