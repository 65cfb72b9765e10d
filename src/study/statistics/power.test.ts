import fc from "fast-check";
import { expect, it } from "vitest";
import fixture from "./fixtures/statistics.json" with { type: "json" };
import { pairedPower, seedsNeeded, smallestDifference } from "./power.js";

it("has the power that integrating the definition gives", () => {
  for (const [difference, deviation, seeds, alpha, power] of fixture.power as number[][]) {
    const found = pairedPower({
      difference: difference!,
      deviation: deviation!,
      seeds: seeds!,
      alpha: alpha!,
    });
    expect(found, `${difference}, ${seeds}`).toBeCloseTo(power!, 6);
  }
});

it("needs as many seeds as counting up one by one finds", () => {
  for (const [difference, deviation, power, alpha, seeds] of fixture.needed as number[][]) {
    const design = { difference: difference!, deviation: deviation!, power: power!, alpha: alpha! };
    expect(seedsNeeded(design), `${difference}, ${power}`).toBe(seeds);
    expect(seedsNeeded({ ...design, difference: -difference! })).toBe(seeds);
  }
});

it("the smallest difference that n seeds can see needs n seeds, and a smaller one more", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.double({ min: 1e-4, max: 1, noNaN: true }),
      (seeds, deviation) => {
        const difference = smallestDifference({ seeds, deviation });
        expect(seedsNeeded({ difference: difference * 1.0001, deviation })).toBeLessThanOrEqual(seeds);
        expect(seedsNeeded({ difference: difference * 0.99, deviation })).toBeGreaterThan(seeds);
        expect(smallestDifference({ seeds: seeds + 1, deviation })).toBeLessThan(difference);
      },
    ),
    { numRuns: 20 },
  );
});

it("is asked for what no seeds, or any seeds, can do", () => {
  expect(seedsNeeded({ difference: 0, deviation: 0.4 })).toBe(Number.POSITIVE_INFINITY);
  expect(seedsNeeded({ difference: 1e-6, deviation: 0.4 })).toBe(Number.POSITIVE_INFINITY);
  expect(seedsNeeded({ difference: 0.1, deviation: 0 })).toBe(2);
  for (const seeds of [0, 1]) {
    expect(smallestDifference({ seeds, deviation: 0.4 })).toBe(Number.POSITIVE_INFINITY);
  }
  expect(smallestDifference({ seeds: 5, deviation: 0 })).toBe(0);
  // Two seeds and a strict alpha need a shift of many standard errors.
  expect(smallestDifference({ seeds: 2, deviation: 0.4, alpha: 0.001 })).toBeGreaterThan(100);
});

it("refuses designs that make no sense", () => {
  const design = { difference: 0.1, deviation: 0.4 };
  expect(() => seedsNeeded({ ...design, deviation: -1 })).toThrow("standard deviation");
  expect(() => seedsNeeded({ ...design, difference: Number.NaN })).toThrow("finite, got NaN");
  expect(() => seedsNeeded({ ...design, power: 1 })).toThrow("the power must lie");
  expect(() => seedsNeeded({ ...design, alpha: 0 })).toThrow("alpha must lie");
  expect(() => smallestDifference({ seeds: 2.5, deviation: 1 })).toThrow("whole number from 2, got 2.5");
  expect(() => pairedPower({ ...design, seeds: 1 })).toThrow("whole number from 2");
});
