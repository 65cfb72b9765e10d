import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedCalibrationError } from "./calibration.js";

describe("expectedCalibrationError", () => {
  it("is 0 where in every bin as many predictions are right as the confidence says", () => {
    const group = fc
      .integer({ min: 1, max: 12 })
      .chain((size) => fc.record({ size: fc.constant(size), right: fc.nat(size) }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 10 }), (groups) => {
        const confidences = groups.flatMap(({ size, right }) => Array(size).fill(right / size));
        const correct = groups.flatMap(({ size, right }) =>
          Array.from({ length: size }, (_, i) => i < right),
        );
        expect(expectedCalibrationError(confidences, correct)).toBeLessThan(1e-14);
      }),
    );
  });

  it("is the weighted gap of each bin; gaps of one bin cancel, those of two do not", () => {
    expect(expectedCalibrationError([0.9, 0.9, 0.9, 0.9], [1, 1, 1, 0])).toBeCloseTo(0.15, 14);
    expect(expectedCalibrationError([0.7, 0.71], [1, 0])).toBeCloseTo(0.205, 14);
    expect(expectedCalibrationError([0.72, 0.75], [1, 0])).toBeCloseTo((0.28 + 0.75) / 2, 14);
    expect(expectedCalibrationError([0.72, 0.75], [1, 0], 1)).toBeCloseTo(0.235, 14);
  });

  it("puts an edge into the lower bin, and 0 and 1 into the outer ones", () => {
    expect(expectedCalibrationError([0.5, 0.3, 0.51], [0, 1, 1], 2)).toBeCloseTo((0.2 + 0.49) / 3, 14);
    const [below, above] = [2 / 3 - 1e-16, 2 / 3 + 1e-15];
    expect(expectedCalibrationError([below, above], [1, 0])).toBeCloseTo(1 / 6, 14);
    expect(expectedCalibrationError([0, 1], [true, false])).toBe(1);
  });

  it("refuses what does not fit", () => {
    expect(() => expectedCalibrationError([], [])).toThrow(TypeError);
    expect(() => expectedCalibrationError([0.5], [])).toThrow("0 and 1");
    expect(() => expectedCalibrationError([1.01], [1])).toThrow(RangeError);
    expect(() => expectedCalibrationError([Number.NaN], [1])).toThrow(RangeError);
    expect(() => expectedCalibrationError([0.5], [1], 0)).toThrow(RangeError);
  });
});
