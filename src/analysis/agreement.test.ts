import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agreement } from "./agreement.js";

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
