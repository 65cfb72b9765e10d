import fc from "fast-check";
import { expect, test } from "vitest";
import { agreement } from "../agreement.js";
import { evaluateEnsemble } from "../evaluate-ensemble.js";
import { ofScores } from "../testing/of-scores.js";

const members = [
  ofScores([0.6, 0.4], [0.7, 0.3], [0.9, 0.1], [0.2, 0.8]),
  ofScores([0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]),
  ofScores([0.3, 0.7], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6]),
];

test("diversity and gains worked by hand", () => {
  // Best classes of the three members: 0 0 1 | 0 1 1 | 0 1 1 | 1 1 1. Two of the three pairs differ on each of the
  // first three images: (2/3 + 2/3 + 2/3 + 0) / 4 = 1/2.
  // With the labels 0 0 0 1 the members get 4/4, 2/4 and 1/4 right. Their mean scores of class 0 are 0.6, 0.5,
  // 0.53… and 0.26…; class 0 also wins the tie of the second image, so the ensemble gets 4/4 right.
  const result = evaluateEnsemble(members, [0, 0, 0, 1]);
  expect(result.disagreement).toBeCloseTo(1 / 2, 14);
  expect(result.top1).toBe(1);
  expect(result.gainOverMean).toBeCloseTo(1 - (1 + 0.5 + 0.25) / 3, 14);
  expect(result.gainOverBest).toBe(0);
});

test("one member has no diversity and gains nothing", () => {
  expect(evaluateEnsemble([members[0]!], [0, 1, 0, 1])).toMatchObject({
    disagreement: 0,
    gainOverMean: 0,
    gainOverBest: 0,
  });
});

test("is the mean over all pairs of what they do not agree on", () => {
  const member = fc
    .array(fc.integer({ min: -3, max: 3 }), { minLength: 15, maxLength: 15 })
    .map((values) => ({ values: Float32Array.from(values), classes: 3 }));
  fc.assert(
    fc.property(fc.array(member, { minLength: 2, maxLength: 5 }), (all) => {
      const pairs = all.flatMap((a, m) => all.slice(m + 1).map((b) => 1 - agreement(a, b)));
      const mean = pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
      const result = evaluateEnsemble(all, [0, 1, 2, 0, 1]);
      expect(result.disagreement).toBeCloseTo(mean, 12);
      expect(result.gainOverBest).toBeLessThanOrEqual(result.gainOverMean! + 1e-12);
    }),
  );
});
