import { RandomSequence } from "../../data/index.js";
import { jstat } from "../../packages.js";
import { areEqual, checkValues, type Interval, meanOf } from "./interval.js";

/**
 * The fewest values for which a bootstrap interval is given. n values have (2n - 1 over n) different resamples:
 * 35 for four, 126 for five. Fewer cannot tell where the outer 2.5 % begin.
 */
export const FEWEST_FOR_BOOTSTRAP = 5;

/**
 * Computes a confidence interval of a mean by resampling the values: the bias-corrected and accelerated
 * bootstrap (Efron 1987). Unlike the t interval it need not be symmetric; for few values it is too narrow: for
 * five about a third narrower than the t interval, since it knows neither the n - 1 of the variance nor the t.
 *
 * @param values all finite; for a paired comparison, the differences of the pairs
 * @param options.seed decides the resamples: the same values and seed give the same interval everywhere
 * @param options.confidence in (0, 1); default 0.95
 * @param options.resamples default 10,000
 * @returns undefined for fewer than {@link FEWEST_FOR_BOOTSTRAP} values, and for values that are all equal, of which
 *   every resample is the same
 * @throws RangeError when there is no value or one is not finite
 */
export function bootstrapMean(
  values: readonly number[],
  { seed, confidence = 0.95, resamples = 10_000 }: { seed: number; confidence?: number; resamples?: number },
): Interval | undefined {
  checkValues(values);
  if (values.length < FEWEST_FOR_BOOTSTRAP || areEqual(values)) return undefined;
  const random = new RandomSequence(seed, values.length);
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[random.below(values.length)]!;
    return sum / values.length;
  });
  return bcaInterval(values, means, confidence);
}

/**
 * Computes the bias-corrected and accelerated interval of a mean from the means of resamples (Efron 1987; Efron
 * and Tibshirani 1993, chapter 14).
 *
 * @param values the sample, whose values are not all equal
 * @param means the mean of each resample
 */
export function bcaInterval(
  values: readonly number[],
  means: readonly number[],
  confidence: number,
): Interval {
  const mean = meanOf(values);
  const { cdf, inv } = jstat().normal;
  // The bias: how far the mean is from the middle of the resamples' means. Means that equal it, up to the rounding of
  // their sums, count by half.
  const rounding = 1e-12 * Math.max(...values.map((value) => Math.abs(value)));
  const below = means.filter((value) => value < mean - rounding).length;
  const equal = means.filter((value) => Math.abs(value - mean) <= rounding).length;
  const bias = inv((below + equal / 2) / means.length, 0, 1);
  // The acceleration, a sixth of the skewness, up to a factor, as the means that leave one value out have it.
  const deviations = values.map((value) => value - mean);
  const power = (exponent: number) => deviations.reduce((sum, d) => sum + d ** exponent, 0);
  const acceleration = power(3) / (6 * power(2) ** 1.5);
  const sorted = Float64Array.from(means).sort();
  const end = (p: number) => {
    const z = bias + inv(p, 0, 1);
    return quantile(sorted, cdf(bias + z / (1 - acceleration * z), 0, 1));
  };
  return { low: end((1 - confidence) / 2), high: end((1 + confidence) / 2) };
}

/** Gives a quantile of sorted values, with linear interpolation between the two nearest. */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const index = Math.floor(place);
  const [lower, upper] = [sorted[index]!, sorted[Math.min(index + 1, sorted.length - 1)]!];
  return lower + (place - index) * (upper - lower);
}
