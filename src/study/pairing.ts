/** Pairs the values of two sides by seed, and estimates what they differ by. */
import { areEqual, bootstrapMean, estimateMean, type Interval } from "./statistics/index.js";

/** The difference of values that two sides have for the same seeds. */
export interface Pairing {
  /** The mean of the first side's values less the second's; NaN where no seed has both. */
  difference: number;
  /**
   * The 95 % t interval of the mean over seeds, for this comparison by itself; undefined below two seeds, and where
   * all differences are equal, which say nothing of how they vary.
   */
  low: number | undefined;
  high: number | undefined;
  /**
   * The 95 % bootstrap interval (BCa, paired resampling of seeds); undefined below five seeds, where all
   * differences are equal, or where it was not asked for.
   */
  bootstrap: Interval | undefined;
  /** The standard deviation of the differences from seed to seed; undefined below two seeds. */
  deviation: number | undefined;
  /** The p of the paired two-sided t test; undefined where there is no t interval. */
  p: number | undefined;
  /** The seeds that count, in the order of the first side. */
  seeds: number[];
  /** The difference for each of these seeds. */
  differences: number[];
  /** The seeds that were left out since only one of the sides has a value for them. */
  alone: { a: number[]; b: number[] };
  /** The seeds that were left out since a value is no finite number, as of a training that diverged. */
  noNumber: number[];
}

/**
 * Pairs the values of two sides by seed and estimates the mean difference.
 *
 * @param bootstrapSeed decides the bootstrap's resamples; false for no such interval
 */
export function pair(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
  bootstrapSeed: number | false = false,
): Pairing {
  const both = [...a.keys()].filter((seed) => b.has(seed));
  const isNumber = (seed: number) => Number.isFinite(a.get(seed)) && Number.isFinite(b.get(seed));
  const seeds = both.filter(isNumber);
  const differences = withoutRounding(
    seeds.map((seed) => a.get(seed)! - b.get(seed)!),
    seeds.flatMap((seed) => [a.get(seed)!, b.get(seed)!]),
  );
  const leftOut = {
    alone: {
      a: [...a.keys()].filter((seed) => !b.has(seed)),
      b: [...b.keys()].filter((seed) => !a.has(seed)),
    },
    noNumber: both.filter((seed) => !isNumber(seed)),
  };
  if (seeds.length === 0)
    return {
      difference: Number.NaN,
      low: undefined,
      high: undefined,
      bootstrap: undefined,
      deviation: undefined,
      p: undefined,
      seeds,
      differences,
      ...leftOut,
    };
  const { mean, deviation, interval, p } = estimateMean(differences);
  return {
    difference: mean,
    low: interval?.low,
    high: interval?.high,
    bootstrap: bootstrapSeed === false ? undefined : bootstrapMean(differences, { seed: bootstrapSeed }),
    deviation,
    p,
    seeds,
    differences,
    ...leftOut,
  };
}

/** Makes differences that are equal but for the rounding of the values they are of exactly equal. */
function withoutRounding(differences: number[], of: readonly number[]): number[] {
  if (differences.length < 2) return differences;
  const size = Math.max(...of.map((value) => Math.abs(value)));
  return areEqual(differences, size) ? differences.map(() => differences[0]!) : differences;
}
