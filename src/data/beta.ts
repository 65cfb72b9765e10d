import type { RandomSequence } from "./random.js";

/**
 * Draws from the distribution Beta(alpha, alpha): the share that one of two gamma variates has of their sum.
 *
 * Their logarithms are drawn rather than the variates, since for a small alpha both would be 0 in a double.
 *
 * @param alpha above 0; 1 makes all shares equally likely, less prefers those near 0 and 1
 * @returns a number from 0 to 1
 */
export function drawBeta(random: RandomSequence, alpha: number): number {
  const own = drawLogGamma(random, alpha);
  const other = drawLogGamma(random, alpha);
  return 1 / (1 + Math.exp(other - own));
}

/**
 * Draws the logarithm of a gamma variate of the given shape and scale 1 (Marsaglia and Tsang, A Simple Method for
 * Generating Gamma Variables, ACM Transactions on Mathematical Software 2000; section 6 for shapes below 1).
 */
function drawLogGamma(random: RandomSequence, shape: number): number {
  if (shape < 1) return drawLogGamma(random, shape + 1) + Math.log(drawOpen(random)) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const logV = Math.log(v);
    if (Math.log(drawOpen(random)) < (x * x) / 2 + d - d * v + d * logV) return Math.log(d) + logV;
  }
}

/** Draws from the normal distribution of mean 0 and deviation 1 (Marsaglia's polar method). */
function drawNormal(random: RandomSequence): number {
  for (;;) {
    const x = 2 * drawOpen(random) - 1;
    const y = 2 * drawOpen(random) - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** Draws a number above 0 and below 1, so that its logarithm is finite. */
function drawOpen(random: RandomSequence): number {
  return (random.uint32() + 0.5) / 2 ** 32;
}
