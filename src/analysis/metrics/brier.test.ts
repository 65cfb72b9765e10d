import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateLogits } from "../evaluate-logits.js";
import { ofScores } from "../testing/of-scores.js";

const brierOf = (logits: ReturnType<typeof ofScores>, labels: number[]) =>
  evaluateLogits(logits, labels).brier;

test("worked by hand", () => {
  // 0.3² + 0.2² + 0.1² = 0.14 and 0.75² + 0.25² + 0.5² = 0.875; their mean is 0.5075.
  expect(brierOf(ofScores([0.7, 0.2, 0.1], [0.25, 0.25, 0.5]), [0, 0])).toBeCloseTo(0.5075, 14);
});

test("is 0 where all score is on the label, and 2 where all of it is on another class", () => {
  const sure = { values: Float64Array.of(1e4, -1e4, -1e30), classes: 3 };
  expect(brierOf(sure, [0])).toBe(0);
  expect(brierOf(sure, [2])).toBe(2);
});

test("lies between 0 and 2, and at (C - 1) / C where all scores are equal", () => {
  const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
      const brier = brierOf(
        { values: Float64Array.from(rows.flat()), classes: 4 },
        rows.map((_, i) => i),
      );
      expect(brier).toBeGreaterThanOrEqual(0);
      expect(brier).toBeLessThanOrEqual(2);
    }),
  );
  expect(brierOf(ofScores([0.25, 0.25, 0.25, 0.25]), [3])).toBeCloseTo(3 / 4, 14);
});
