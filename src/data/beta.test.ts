import { describe, expect, it } from "vitest";
import { drawBeta } from "./beta.js";
import { RandomSequence } from "./random.js";

/**
 * Makes the distribution function of Beta(a, a), by Simpson's rule on the density.
 *
 * For a below 1 the density t^(a-1) (1-t)^(a-1) has a pole at 0. With u = t^a its integral from 0 to x becomes that of
 * (1 - u^(1/a))^(a-1) / a from 0 to x^a, which has none for x up to 1/2. There the distribution function is 1/2, which
 * gives the scale; the rest is symmetry.
 */
function betaCdf(a: number): (x: number) => number {
  const power = Math.min(a, 1);
  const density = (u: number) => (a < 1 ? 1 : u ** (a - 1)) * (1 - u ** (1 / power)) ** (a - 1);
  const integral = (x: number) => {
    const parts = 100;
    const step = x ** power / parts;
    let sum = 0;
    for (let i = 0; i <= parts; i++)
      sum += (i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2) * density(i * step);
    return (sum * step) / 3;
  };
  const half = integral(0.5);
  const cdf = (x: number): number => (x > 0.5 ? 1 - cdf(1 - x) : (0.5 * integral(x)) / half);
  return cdf;
}

const alphas = [0.1, 0.2, 0.5, 0.8, 1, 2, 8];

describe("drawBeta", () => {
  it("is compared with a distribution function that is right where it is known in closed form", () => {
    for (const x of [0.01, 0.2, 0.5, 0.7, 0.99]) {
      expect(betaCdf(0.5)(x)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 6);
      expect(betaCdf(1)(x)).toBeCloseTo(x, 10);
      expect(betaCdf(2)(x)).toBeCloseTo(3 * x * x - 2 * x ** 3, 8);
    }
  });

  it.each(alphas)("follows the distribution function of Beta(%f, the same)", (alpha) => {
    const count = 2000;
    const cdf = betaCdf(alpha);
    const drawn = Array.from({ length: count }, (_, i) => drawBeta(new RandomSequence(3, i), alpha));
    drawn.sort((a, b) => a - b);
    // Kolmogorov and Smirnov's distance between the drawn and the true distribution function.
    const distance = drawn.reduce((most, x, i) => {
      return Math.max(most, Math.abs(cdf(x) - i / count), Math.abs(cdf(x) - (i + 1) / count));
    }, 0);
    // A true sample exceeds 1.95 / sqrt(n) once in a thousand times.
    expect(distance).toBeLessThan(1.95 / Math.sqrt(count));
  });

  it.each(alphas)("has the mean and the variance of Beta(%f, the same)", (alpha) => {
    const count = 20_000;
    const random = new RandomSequence(5);
    const drawn = Array.from({ length: count }, () => drawBeta(random, alpha));
    const variance = 1 / (4 * (2 * alpha + 1));
    const mean = drawn.reduce((sum, x) => sum + x, 0) / count;
    const spread = drawn.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / count;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(variance / count));
    // The square of a deviation of at most 1/2 has itself a deviation of at most 1/8.
    expect(Math.abs(spread - variance)).toBeLessThan(4 * (1 / 8 / Math.sqrt(count)));
  });

  it("stays finite where alpha is so small that gamma variates would be 0", () => {
    const random = new RandomSequence(1);
    const drawn = Array.from({ length: 1000 }, () => drawBeta(random, 1e-4));
    expect(drawn.every((x) => x >= 0 && x <= 1)).toBe(true);
    const high = drawn.filter((x) => x > 0.5).length;
    // 500 are expected; the standard deviation is 16.
    expect(Math.abs(high - 500)).toBeLessThan(64);
  });

  it("never changes: runs of the past must stay repeatable", () => {
    const random = new RandomSequence(7, 1);
    const drawn = Array.from({ length: 3 }, () => drawBeta(random, 0.4).toFixed(12));
    expect(drawn).toMatchInlineSnapshot(`
      [
        "0.546183603315",
        "0.000001465846",
        "0.900436104370",
      ]
    `);
  });
});
