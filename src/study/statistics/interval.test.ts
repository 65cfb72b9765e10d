import fc from "fast-check";
import { describe, expect, it } from "vitest";
import fixture from "./fixtures/statistics.json" with { type: "json" };
import { estimateMean } from "./interval.js";

const differences = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!);

it.each(fixture.intervals)("agrees with SciPy's paired t test, $a.length pairs, $confidence", (pair) => {
  const { count, mean, deviation, interval, p } = estimateMean(differences(pair.a, pair.b), pair);
  expect(count).toBe(pair.a.length);
  const width = pair.high - pair.low;
  expect(mean).toBeCloseTo(pair.mean, 14);
  expect(deviation).toBeCloseTo(pair.deviation, 14);
  expect(Math.abs(interval!.low - pair.low) / width).toBeLessThan(1e-7);
  expect(Math.abs(interval!.high - pair.high) / width).toBeLessThan(1e-7);
  expect(Math.abs(p! / pair.p - 1)).toBeLessThan(1e-6);
});

describe("properties", () => {
  const value = fc.integer({ min: -1000, max: 1000 }).map((points) => points / 1e4);
  const pairs = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 12 });

  it("swapping the arms mirrors the interval and keeps p", () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const [a, b] = [drawn.map(([x]) => x), drawn.map(([, y]) => y)];
        const [one, other] = [estimateMean(differences(a, b)), estimateMean(differences(b, a))];
        expect(other.mean).toBe(-one.mean || 0);
        fc.pre(one.deviation! > 0);
        expect(other.interval!.low).toBeCloseTo(-one.interval!.high, 12);
        expect(other.interval!.high).toBeCloseTo(-one.interval!.low, 12);
        expect(other.p).toBeCloseTo(one.p!, 12);
      }),
    );
  });

  it("the interval holds 0 just where p is above 0.05", () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const { interval, p, deviation } = estimateMean(drawn.map(([x, y]) => x - y));
        fc.pre(deviation! > 0);
        // On the boundary itself rounding decides.
        fc.pre(Math.abs(p! - 0.05) > 1e-6);
        expect(interval!.low <= 0 && interval!.high >= 0).toBe(p! > 0.05);
      }),
    );
  });

  it("the same differences over more seeds give a narrower interval; more confidence a wider one", () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const values = drawn.map(([x]) => x);
        fc.pre(new Set(values).size > 1);
        const width = ({ interval }: ReturnType<typeof estimateMean>) => interval!.high - interval!.low;
        const once = width(estimateMean(values));
        expect(width(estimateMean([...values, ...values]))).toBeLessThan(once);
        expect(width(estimateMean(values, { confidence: 0.99 }))).toBeGreaterThan(once);
      }),
    );
  });
});

it("has no interval and no p for one value, nor for values that are equal but for rounding", () => {
  expect(estimateMean([0.3])).toEqual({
    count: 1,
    mean: 0.3,
    deviation: undefined,
    interval: undefined,
    p: undefined,
  });
  // The last two are 0.01 twice, of whose sums one is rounded otherwise.
  for (const values of [
    [0.1, 0.1, 0.1],
    [0, 0],
    [0.51 - 0.5, 0.29 - 0.28],
  ])
    expect(estimateMean(values)).toMatchObject({ deviation: 0, interval: undefined, p: undefined });
  expect(estimateMean([0.01, 0.01 + 1e-9]).p).toBeLessThan(1e-6);
});

it("refuses no values, values that are no numbers, and a confidence out of range", () => {
  expect(() => estimateMean([])).toThrow("no value");
  expect(() => estimateMean([1, Number.NaN])).toThrow("finite numbers, got NaN");
  expect(() => estimateMean([1, Number.POSITIVE_INFINITY])).toThrow("got Infinity");
  expect(() => estimateMean([1, 2], { confidence: 1 })).toThrow("the confidence must lie between 0 and 1");
});
