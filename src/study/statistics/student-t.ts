/** Student's t distribution, central and noncentral, on jstat's incomplete beta functions. */
import { jstat } from "../../packages.js";

/**
 * Gives the t below which a t distribution has the probability p.
 *
 * @param p in (0, 1)
 * @param freedom degrees of freedom, above 0
 * @throws RangeError when p or the degrees of freedom are out of range
 */
export function tQuantile(p: number, freedom: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`a quantile's p must lie between 0 and 1, got ${p}`);
  checkFreedom(freedom);
  return p === 0.5 ? 0 : jstat().studentt.inv(p, freedom);
}

/**
 * Gives the probability that a t distribution comes at least as far from 0 as t does, on either side: the p of
 * a two-sided t test. It keeps its relative precision where it is small.
 *
 * @param freedom degrees of freedom, above 0
 */
export function tTwoSided(t: number, freedom: number): number {
  checkFreedom(freedom);
  if (Number.isNaN(t)) return Number.NaN;
  if (!Number.isFinite(t)) return 0;
  return jstat().ibeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/**
 * Gives the power of a two-sided t test: the probability that it finds a shift which is there.
 *
 * @param shift the shift of the mean, in standard errors of the mean
 * @param freedom degrees of freedom, above 0
 * @param alpha the probability that the test finds something where nothing is, in (0, 1)
 * @returns a probability, right to about 1e-7
 */
export function tPower(shift: number, freedom: number, alpha: number): number {
  const critical = tQuantile(1 - alpha / 2, freedom);
  const size = Math.abs(shift);
  if (size > LARGEST_SHIFT) return powerOfLargeShift(size, freedom, critical);
  const { cdf } = jstat().noncentralt;
  return 1 - cdf(critical, freedom, size) + cdf(-critical, freedom, size);
}

/** Up to this shift jstat's series, of 200 terms or more, has reached its largest terms when it stops. */
const LARGEST_SHIFT = 15;

/**
 * Computes the power for a shift z + size of the mean with z standard normal: the integral over z of its density
 * times the probability that the deviation, whose square is a chi square over its degrees of freedom, is small
 * enough. For such shifts the power is below 1 only for few degrees of freedom, where all of it is smooth.
 */
function powerOfLargeShift(size: number, freedom: number, critical: number): number {
  const [end, step] = [8, 1 / 16];
  let sum = 0;
  for (let z = -end; z <= end; z += step) {
    const smallEnough = jstat().lowRegGamma(freedom / 2, (freedom / 2) * ((size + z) / critical) ** 2);
    sum += Math.exp((-z * z) / 2) * smallEnough;
  }
  return Math.min(1, (sum * step) / Math.sqrt(2 * Math.PI));
}

function checkFreedom(freedom: number): void {
  if (!(freedom > 0)) throw new RangeError(`degrees of freedom must be above 0, got ${freedom}`);
}
