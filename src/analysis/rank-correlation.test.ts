import fc from "fast-check";
import { expect, test } from "vitest";
import { rankCorrelation } from "./rank-correlation.js";

const of = (...values: number[]) => Float64Array.from(values);

test("is 1 − 6 Σd² / (n (n² − 1)) where no numbers are equal", () => {
  // Ranks 1 2 3 4 5 and 2 1 4 3 5: Σd² = 4, and 1 − 24 / 120 = 0.8.
  expect(rankCorrelation(of(1, 2, 3, 4, 5), of(20, 10, 40, 30, 50))).toBeCloseTo(0.8, 14);
});

test("is symmetric, blind to what keeps the order, and 1 with itself unless all is equal", () => {
  const list = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(list, list, (a, b) => {
      const [x, y] = [of(...a), of(...b)];
      expect(rankCorrelation(x, y)).toBe(rankCorrelation(y, x));
      expect(rankCorrelation(x.map(Math.exp), y)).toBe(rankCorrelation(x, y));
      expect(
        rankCorrelation(
          x.map((value) => -value),
          y,
        ),
      ).toBeCloseTo(-rankCorrelation(x, y), 14);
      expect(rankCorrelation(x, x)).toBe(new Set(a).size > 1 ? 1 : 0);
      expect(Math.abs(rankCorrelation(x, y))).toBeLessThanOrEqual(1);
    }),
  );
});

test("refuses lists of different lengths", () => {
  expect(() => rankCorrelation(of(1, 2), of(1))).toThrow(
    new TypeError("a rank correlation needs lists of one length, got 2 and 1"),
  );
});
