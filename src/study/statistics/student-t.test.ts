import { expect, it } from "vitest";
import fixture from "./fixtures/statistics.json" with { type: "json" };
import { tPower, tQuantile, tTwoSided } from "./student-t.js";

it("gives SciPy's quantiles", () => {
  for (const [p, freedom, t] of fixture.quantiles as [number, number, number][])
    expect(Math.abs(tQuantile(p, freedom) / t - 1), `${p}, ${freedom}`).toBeLessThan(1e-6);
  expect(tQuantile(0.5, 4)).toBe(0);
  expect(tQuantile(0.025, 4)).toBeCloseTo(-tQuantile(0.975, 4), 12);
});

it("gives SciPy's two-sided p, with its relative precision where it is small", () => {
  for (const [t, freedom, p] of fixture.twoSided as [number, number, number][])
    expect(Math.abs(tTwoSided(t, freedom) / p - 1), `${t}, ${freedom}`).toBeLessThan(1e-6);
  expect(tTwoSided(Number.POSITIVE_INFINITY, 4)).toBe(0);
  expect(tTwoSided(Number.NaN, 4)).toBeNaN();
});

it("refuses what is out of range", () => {
  for (const p of [0, 1, -1, 2, Number.NaN]) expect(() => tQuantile(p, 4)).toThrow("between 0 and 1");
  for (const freedom of [0, -1, Number.NaN]) {
    expect(() => tQuantile(0.9, freedom)).toThrow("degrees of freedom");
    expect(() => tTwoSided(1, freedom)).toThrow("degrees of freedom");
  }
});

it("has the power alpha where nothing is, and power 1 far away", () => {
  for (const freedom of [1, 4, 30]) expect(tPower(0, freedom, 0.05)).toBeCloseTo(0.05, 7);
  expect(tPower(1000, 4, 0.05)).toBeCloseTo(1, 12);
  expect(tPower(-3, 4, 0.05)).toBe(tPower(3, 4, 0.05));
  // Both formulas meet where the one takes over from the other.
  for (const [freedom, alpha] of [
    [1, 0.05],
    [1, 0.001],
    [3, 0.001],
  ] as const)
    expect(tPower(15, freedom, alpha)).toBeCloseTo(tPower(15 + 1e-9, freedom, alpha), 6);
});
