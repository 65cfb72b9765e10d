import fc from "fast-check";
import { expect, it } from "vitest";
import fixture from "./fixtures/statistics.json" with { type: "json" };
import { holm } from "./holm.js";

it.each(fixture.holm)("is what closed testing gives for $p", ({ p, adjusted }) => {
  holm(p).forEach((value, i) => {
    expect(value).toBeCloseTo(adjusted[i]!, 12);
  });
});

it("leaves out tests that could not be made, which do not count", () => {
  expect(holm([0.02, undefined, 0.01])).toEqual([0.02, undefined, 0.02]);
  expect(holm([undefined])).toEqual([undefined]);
  expect(holm([])).toEqual([]);
});

it("never makes p smaller, keeps their order, and multiplies by no more than their number", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (p) => {
      const adjusted = holm(p) as number[];
      for (const [i, value] of p.entries()) {
        expect(adjusted[i]).toBeGreaterThanOrEqual(value);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, value * p.length));
        for (const [j, other] of p.entries())
          if (value < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
      }
    }),
  );
});

it("refuses what is no probability", () => {
  for (const p of [-0.1, 1.1, Number.NaN]) expect(() => holm([0.5, p])).toThrow("must lie in [0, 1]");
});
