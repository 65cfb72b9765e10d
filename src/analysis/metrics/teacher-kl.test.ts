import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateLogits } from "../evaluate-logits.js";
import type { Logits } from "../logits.js";
import { ofScores } from "../testing/of-scores.js";

const klOf = (student: Logits, teacherLogits: Logits) =>
  evaluateLogits(student, new Int32Array(student.values.length / student.classes), { teacherLogits })
    .teacherKl!;

test("worked by hand", () => {
  // Teacher q = (1/4, 1/4, 1/2), student p = (1/2, 1/4, 1/4):
  // 1/4 ln(1/2) + 1/4 ln 1 + 1/2 ln 2 = 1/4 ln 2. On a second image the two are alike, so the mean is half of it.
  const teacher = ofScores([0.25, 0.25, 0.5], [0.1, 0.2, 0.7]);
  expect(klOf(ofScores([0.5, 0.25, 0.25], [0.1, 0.2, 0.7]), teacher)).toBeCloseTo(Math.LN2 / 8, 14);
});

test("is the distance in log-probability where the student rules out what the teacher is sure of", () => {
  const of = (...values: number[]) => ({ values: Float64Array.from(values), classes: 2 });
  expect(klOf(of(1e4, -1e4), of(-1e4, 1e4))).toBe(2e4);
  expect(klOf(of(1, 0), of(1, Number.NEGATIVE_INFINITY))).toBeCloseTo(Math.log(1 + Math.exp(-1)), 14);
});

test("is never negative but by rounding, and 0 for logits that are shifted only", () => {
  const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(row, row, (a, b) => {
      const [one, other] = [a, b].map((values) => ({ values: Float64Array.from(values), classes: 5 }));
      expect(klOf(one!, other!)).toBeGreaterThanOrEqual(-1e-13);
      expect(klOf(one!, { classes: 5, values: one!.values.map((value) => value + 3) })).toBeCloseTo(0, 12);
    }),
  );
});
