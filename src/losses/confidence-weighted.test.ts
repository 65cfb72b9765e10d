import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { confidenceWeightedCrossEntropy } from "./confidence-weighted.js";
import { crossEntropy } from "./cross-entropy.js";

const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const labels = torch.tensor([0, 1], { dtype: "int64" });

describe("confidenceWeightedCrossEntropy", () => {
  it("weighs images by the teacher's top score, also where that is not the label's", () => {
    const student = float64([
      [0.5, 0.5],
      [0.8, 0.2],
    ]).log();
    const teacher = float64([
      [0.1, 0.9],
      [0.4, 0.6],
    ]).log();
    const expected = (0.9 * Math.log(2) + 0.6 * Math.log(5)) / 1.5;
    expect(confidenceWeightedCrossEntropy(student, labels, teacher).item()).toBeCloseTo(expected, 14);
  });

  it("is the cross-entropy where the teacher is equally sure of all images", () => {
    const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(row, row, row, (a, b, t) => {
        const student = float64([a, b]);
        const teacher = float64([t, [...t].reverse()]);
        const weighted = confidenceWeightedCrossEntropy(student, labels, teacher).item();
        expect(Math.abs(weighted - crossEntropy(student, labels).item())).toBeLessThan(1e-12);
      }),
    );
  });

  it("lets no gradient into the teacher, and refuses what does not fit", () => {
    const [student, teacher] = [torch.zeros([2, 3]).requiresGrad_(), torch.ones([2, 3]).requiresGrad_()];
    confidenceWeightedCrossEntropy(student, labels, teacher).backward();
    expect(teacher.grad).toBeUndefined();
    expect(() => confidenceWeightedCrossEntropy(student, labels, torch.zeros([2, 4]))).toThrow(TypeError);
    const wrong = torch.tensor([0, 3], { dtype: "int64" });
    expect(() => confidenceWeightedCrossEntropy(student, wrong, teacher)).toThrow(/out of bounds/);
  });
});
