import fc from "fast-check";
import { expect, it } from "vitest";
import { bcaInterval, bootstrapMean } from "./bootstrap.js";
import fixture from "./fixtures/statistics.json" with { type: "json" };

it.each(fixture.bca)(
  "is SciPy's BCa interval of the same resamples, $values",
  ({ values, means, low, high }) => {
    const interval = bcaInterval(values, means, 0.95);
    const width = high - low;
    expect(Math.abs(interval.low - low) / width).toBeLessThan(1e-7);
    expect(Math.abs(interval.high - high) / width).toBeLessThan(1e-7);
  },
);

it.each(fixture.bcaLimits)("comes close to that of 400,000 resamples, $values", ({ values, low, high }) => {
  for (const seed of [0, 1, 2]) {
    const interval = bootstrapMean(values, { seed })!;
    expect(Math.abs(interval.low - low) / (high - low)).toBeLessThan(0.06);
    expect(Math.abs(interval.high - high) / (high - low)).toBeLessThan(0.06);
  }
});

it("is decided by the seed", () => {
  const values = [0.012, 0.004, 0.009, -0.002, 0.021, 0.0133];
  expect(bootstrapMean(values, { seed: 1 })).toEqual(bootstrapMean(values, { seed: 1 }));
  expect(bootstrapMean(values, { seed: 1 })).not.toEqual(bootstrapMean(values, { seed: 2 }));
});

it("is mirrored when the arms are swapped, and never leaves the range of the values", () => {
  const values = fc
    .array(
      fc.integer({ min: -500, max: 500 }).map((x) => x / 1e4),
      {
        minLength: 5,
        maxLength: 9,
      },
    )
    .filter((drawn) => new Set(drawn).size > 1);
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 1000 }), (drawn, seed) => {
      const one = bootstrapMean(drawn, { seed, resamples: 500 })!;
      const other = bootstrapMean(
        drawn.map((value) => -value),
        { seed, resamples: 500 },
      )!;
      expect(other.low).toBeCloseTo(-one.high, 6);
      expect(other.high).toBeCloseTo(-one.low, 6);
      expect(one.low).toBeGreaterThanOrEqual(Math.min(...drawn) - 1e-12);
      expect(one.high).toBeLessThanOrEqual(Math.max(...drawn) + 1e-12);
      expect(one.low).toBeLessThanOrEqual(one.high);
    }),
    { numRuns: 50 },
  );
});

it("is not given for values that are all equal, nor for fewer than five", () => {
  expect(bootstrapMean([0.1, 0.1, 0.1, 0.1, 0.1 + 1e-17], { seed: 1 })).toBeUndefined();
  expect(bootstrapMean([0.1, 0.2, 0.3, 0.4], { seed: 1 })).toBeUndefined();
  expect(() => bootstrapMean([], { seed: 1 })).toThrow("no value");
  expect(() => bootstrapMean([1, Number.NaN], { seed: 1 })).toThrow("got NaN");
});
