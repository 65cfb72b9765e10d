import fc from "fast-check";
import { expect, test } from "vitest";
import { jensenShannon, mostDifferentImages } from "./divergence.js";
import { Predictions } from "./predictions.js";
import { ofScores } from "./testing/of-scores.js";

test("worked by hand", () => {
  // p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4):
  // KL(p ‖ m) = 1/2 ln(2/3) + 1/2 ln 2 = 1/2 ln(4/3) and KL(q ‖ m) = ln(4/3); half their sum is 3/4 ln(4/3).
  expect(jensenShannon([0.5, 0.5], [1, 0])).toBeCloseTo((3 / 4) * Math.log(4 / 3), 14);
  expect(jensenShannon([1, 0, 0], [0, 0, 1])).toBeCloseTo(Math.LN2, 14);
});

test("is symmetric, 0 only for equal scores, and at most ln 2", () => {
  const scores = fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 })
    .filter((counts) => counts.some((count) => count > 0))
    .map((counts) => counts.map((count) => count / counts.reduce((sum, one) => sum + one, 0)));
  fc.assert(
    fc.property(scores, scores, (p, q) => {
      const divergence = jensenShannon(p, q);
      expect(divergence).toBeCloseTo(jensenShannon(q, p), 14);
      expect(divergence).toBeLessThanOrEqual(Math.LN2 + 1e-14);
      expect(jensenShannon(p, p)).toBe(0);
      // By Pinsker's inequality it is at least the squared total variation, halved.
      const variation = p.reduce((sum, score, c) => sum + Math.abs(score - q[c]!), 0) / 2;
      expect(divergence).toBeGreaterThanOrEqual(variation ** 2 / 2 - 1e-14);
    }),
  );
});

test("the images on which two networks differ most, most different first", () => {
  const of = (...scores: number[]) => new Predictions(ofScores(...scores.map((score) => [score, 1 - score])));
  const [first, last] = [of(0.5, 0.9, 0.2, 0.5), of(0.5, 0.1, 0.4, 0.3)];
  const found = mostDifferentImages(first, last, { most: 3 });
  expect(found.map(({ image }) => image)).toEqual([1, 2, 3]);
  expect(found[0]!.divergence).toBeCloseTo(jensenShannon([0.9, 0.1], [0.1, 0.9]), 14);
  expect(mostDifferentImages(first, first).map(({ image }) => image)).toEqual([0, 1, 2, 3]);
});

test("stays finite at extreme logits, and refuses shapes that differ", () => {
  const of = (...values: number[]) => new Predictions({ values: Float64Array.from(values), classes: 2 });
  expect(mostDifferentImages(of(1e4, -1e4), of(-1e4, 1e30))[0]!.divergence).toBeCloseTo(Math.LN2, 14);
  expect(() => mostDifferentImages(of(0, 1), of(0, 1, 1, 0))).toThrow("[1, 2] and [2, 2]");
});
