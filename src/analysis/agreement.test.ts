import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agreement, pairwiseDisagreement } from "./agreement.js";

const table = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: 12, maxLength: 12 })
  .map((values) => ({ values: Float32Array.from(values), classes: 3 }));

describe("agreement", () => {
  it("is the share of images with the same top class", () => {
    const a = { values: Float32Array.of(1, 0, 0, 1, 5, 4), classes: 2 };
    const b = { values: Float32Array.of(9, 0, 1, 0, 0, 0), classes: 2 };
    expect(agreement(a, b)).toBeCloseTo(2 / 3, 15);
  });

  it("is symmetric, 1 with itself, and blind to shifts and scales", () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        expect(agreement(a, b)).toBe(agreement(b, a));
        expect(agreement(a, { ...a, values: a.values.map((v) => 2 * v + 7) })).toBe(1);
      }),
    );
  });

  it("refuses shapes that differ", () => {
    const a = { values: new Float32Array(6), classes: 2 };
    expect(() => agreement(a, { values: new Float32Array(6), classes: 3 })).toThrow("[3, 2] and [2, 3]");
  });
});

describe("pairwiseDisagreement", () => {
  it("is what two networks do not agree on, for each pair", () => {
    // Best classes of three networks for four images: 0 0 0 0 | 0 0 1 1 | 1 0 1 1.
    const of = (...best: number[]) => ({
      values: Float32Array.from(best.flatMap((top) => [1 - top, top])),
      classes: 2,
    });
    expect(pairwiseDisagreement([of(0, 0, 0, 0), of(0, 0, 1, 1), of(1, 0, 1, 1)])).toEqual([
      [0, 2 / 4, 3 / 4],
      [2 / 4, 0, 1 / 4],
      [3 / 4, 1 / 4, 0],
    ]);
    expect(() => pairwiseDisagreement([of(0, 1), of(0)])).toThrow("[2, 2] and [1, 2]");
  });
});
