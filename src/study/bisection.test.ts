import fc from "fast-check";
import { expect, it } from "vitest";
import { nextStrength, type Tried } from "./bisection.js";

/** Tries strengths until the value is within `close` of the target, and gives the trials. */
function search(f: (strength: number) => number, target: number, range: [number, number], close = 1e-3) {
  const tried: Tried[] = [];
  for (let i = 0; i < 60; i++) {
    const strength = nextStrength(tried, target, range);
    if (strength === undefined) break;
    tried.push({ strength, value: f(strength) });
    if (Math.abs(tried.at(-1)!.value - target) <= close) break;
  }
  return tried;
}

it("finds the strength of any rising curve whose range holds the target", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.2, max: 5, noNaN: true }),
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      (power, target) => {
        const tried = search((strength) => strength ** power, target, [0, 1]);
        expect(Math.abs(tried.at(-1)!.value - target)).toBeLessThanOrEqual(1e-3);
        expect(tried.length).toBeLessThan(50);
      },
    ),
  );
});

it("takes few trials on a curve that is nearly straight", () => {
  expect(
    search((strength) => 3 * strength + 0.2 * strength ** 2, 1, [0, 1], 0.02).length,
  ).toBeLessThanOrEqual(4);
});

it("ends at the end of the range where the target lies beyond it", () => {
  const tried = search((strength) => strength, 2, [0, 1]);
  expect(tried.at(-1)).toEqual({ strength: 1, value: 1 });
  expect(nextStrength(tried, 2, [0, 1])).toBeUndefined();
  expect(search((strength) => 1 + strength, 0.5, [0, 1]).at(-1)!.strength).toBe(0);
});

it("begins in the middle", () => {
  expect(nextStrength([], 1, [0, 0.8])).toBe(0.4);
});
