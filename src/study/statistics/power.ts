/** The planning of paired comparisons: how many seeds a difference needs, and which difference seeds can see. */
import { tPower } from "./student-t.js";

/** What a design is asked for. */
export interface Planning {
  /** The probability that a difference which is there is found, in (0, 1); default 0.8. */
  power?: number;
  /** The probability that a difference is found where none is, in (0, 1); default 0.05, two-sided. */
  alpha?: number;
}

/** The most seeds that `seedsNeeded` answers with. */
export const MOST_SEEDS = 100_000;

/**
 * Computes the power of a paired two-sided t test: the probability that it finds a difference which is there.
 *
 * @param options.difference the true mean of the differences
 * @param options.deviation the standard deviation of the differences from seed to seed, above 0
 * @param options.seeds the number of pairs, at least 2
 * @throws RangeError when an option is out of range
 */
export function pairedPower({
  difference,
  deviation,
  seeds,
  alpha = 0.05,
}: {
  difference: number;
  deviation: number;
  seeds: number;
  alpha?: number;
}): number {
  check({ deviation, alpha });
  checkSeeds(seeds);
  return tPower((difference / deviation) * Math.sqrt(seeds), seeds - 1, alpha);
}

/**
 * Computes how many seeds a paired comparison needs to find a difference. The t distribution's own width
 * depends on the number of seeds, so that the number is searched for, by the noncentral t distribution.
 *
 * @param options.difference the mean difference to find; its sign does not matter
 * @param options.deviation the standard deviation of the differences from seed to seed, from 0
 * @returns at least 2; Infinity where {@link MOST_SEEDS} would not do, as for a difference of 0
 * @throws RangeError when an option is out of range
 */
export function seedsNeeded({
  difference,
  deviation,
  power = 0.8,
  alpha = 0.05,
}: { difference: number; deviation: number } & Planning): number {
  if (!Number.isFinite(difference)) throw new RangeError(`a difference must be finite, got ${difference}`);
  if (difference === 0) return Number.POSITIVE_INFINITY;
  if (deviation === 0) return 2;
  check({ deviation, alpha, power });
  const enough = (seeds: number) => pairedPower({ difference, deviation, seeds, alpha }) >= power;
  let high = 2;
  while (!enough(high)) {
    if (high >= MOST_SEEDS) return Number.POSITIVE_INFINITY;
    high *= 2;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Computes the smallest mean difference that a number of seeds finds with the power asked for.
 *
 * @param options.seeds the number of pairs
 * @param options.deviation the standard deviation of the differences from seed to seed, from 0: assumed, or
 *   observed before
 * @returns in the deviation's unit; Infinity for fewer than two seeds, which can find nothing
 * @throws RangeError when an option is out of range
 */
export function smallestDifference({
  seeds,
  deviation,
  power = 0.8,
  alpha = 0.05,
}: { seeds: number; deviation: number } & Planning): number {
  if (seeds < 2) return Number.POSITIVE_INFINITY;
  if (deviation === 0) return 0;
  check({ deviation, alpha, power });
  checkSeeds(seeds);
  const enough = (shift: number) => tPower(shift, seeds - 1, alpha) >= power;
  let [low, high] = [0, 1];
  while (!enough(high)) [low, high] = [high, 2 * high];
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return (high * deviation) / Math.sqrt(seeds);
}

function check({
  deviation,
  alpha,
  power = 0.8,
}: {
  deviation: number;
  alpha: number;
  power?: number;
}): void {
  if (!(deviation > 0 && Number.isFinite(deviation)))
    throw new RangeError(`a standard deviation must be finite and above 0, got ${deviation}`);
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must lie between 0 and 1, got ${alpha}`);
  if (!(power > 0 && power < 1)) throw new RangeError(`the power must lie between 0 and 1, got ${power}`);
}

function checkSeeds(seeds: number): void {
  if (!Number.isInteger(seeds) || seeds < 2)
    throw new RangeError(`the number of seeds must be a whole number from 2, got ${seeds}`);
}
