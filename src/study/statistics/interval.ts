import { tQuantile, tTwoSided } from "./student-t.js";

/** The two ends of a confidence interval. */
export interface Interval {
  low: number;
  high: number;
}

/** What a sample says of its mean. */
export interface MeanEstimate {
  /** The number of values. */
  count: number;
  mean: number;
  /** The standard deviation of the values, with count - 1 in the denominator; undefined for one value, 0 for equal ones. */
  deviation: number | undefined;
  /** The t interval of the mean; undefined for one value or equal ones, which say nothing of how values vary. */
  interval: Interval | undefined;
  /** The p of the two-sided t test that the mean is 0; undefined where there is no interval. */
  p: number | undefined;
}

/**
 * Estimates the mean that values are drawn from, with Student's t interval (Student 1908). For the differences
 * of pairs this is the paired t test.
 *
 * The interval is right where the mean of so many values is about normal. Values that are all equal (up to
 * rounding) get neither interval nor p: accuracies count images, so that those of a few seeds are often equal by
 * chance, and an interval without width would claim a certainty that so few values cannot give.
 *
 * @param values at least one, all finite
 * @param options.confidence the probability with which such intervals hold the true mean, in (0, 1); default 0.95
 * @throws RangeError when there is no value, a value is not finite, or the confidence is out of range
 */
export function estimateMean(
  values: readonly number[],
  { confidence = 0.95 }: { confidence?: number } = {},
): MeanEstimate {
  checkValues(values);
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`the confidence must lie between 0 and 1, got ${confidence}`);
  const count = values.length;
  const mean = meanOf(values);
  if (count === 1) return { count, mean, deviation: undefined, interval: undefined, p: undefined };
  if (areEqual(values)) return { count, mean, deviation: 0, interval: undefined, p: undefined };
  const deviation = deviationOf(values);
  const error = deviation / Math.sqrt(count);
  const half = tQuantile((1 + confidence) / 2, count - 1) * error;
  const p = mean === 0 ? 1 : tTwoSided(mean / error, count - 1);
  return { count, mean, deviation, interval: { low: mean - half, high: mean + half }, p };
}

/** Computes the mean of values. The mean of equal values is exactly that value. */
export function meanOf(values: readonly number[]): number {
  const first = values[0]!;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

/**
 * Tells whether values are equal up to rounding.
 *
 * @param size the size of the numbers that the values were computed from. Default: that of the largest value
 */
export function areEqual(
  values: readonly number[],
  size = Math.max(...values.map((value) => Math.abs(value))),
): boolean {
  return Math.max(...values) - Math.min(...values) <= ROUNDING * size;
}

/** Far more than the rounding of some sums and differences, and far less than one image in a data set. */
const ROUNDING = 1e-12;

/** Computes the standard deviation of at least two values, with n - 1 in the denominator. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** @throws RangeError when there is no value, or one is not finite */
export function checkValues(values: readonly number[]): void {
  if (values.length === 0) throw new RangeError("there is no value to estimate a mean from");
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`values must be finite numbers, got ${wrong}`);
}
