import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { distillation } from "./distillation.js";
import { meanDistillation } from "./mean-distillation.js";

const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 4, maxLength: 4 });

describe("meanDistillation", () => {
  it("takes the mean of scores, not of logits", () => {
    const teachers = [float64([[0.9, 0.1]]).log(), float64([[0.3, 0.7]]).log()];
    const expected = 0.6 * Math.log(0.6 / 0.5) + 0.4 * Math.log(0.4 / 0.5);
    expect(meanDistillation(float64([[0, 0]]), teachers).item()).toBeCloseTo(expected, 14);
  });

  it("is distillation to the bit with one teacher, and the same with that teacher many times", () => {
    fc.assert(
      fc.property(row, row, fc.constantFrom(1, 3), fc.integer({ min: 2, max: 5 }), (a, b, temperature, n) => {
        const [student, teacher] = [float64([a]), float64([b])];
        const expected = distillation(student, teacher, { temperature }).item();
        expect(meanDistillation(student, [teacher], { temperature }).item()).toBe(expected);
        const many = meanDistillation(student, Array(n).fill(teacher), { temperature }).item();
        // Each of a few logarithms of sums is rounded at the size of the logits.
        expect(Math.abs(many - expected)).toBeLessThan(1e-12);
      }),
    );
  });

  it("keeps what one teacher alone gives a score, and lets no gradient into teachers", () => {
    const teachers = [float64([[0, Number.NEGATIVE_INFINITY]]), float64([[0, 0]]).requiresGrad_()];
    const student = float64([[0, 0]]).requiresGrad_();
    const loss = meanDistillation(student, teachers);
    const expected = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
    expect(loss.item()).toBeCloseTo(expected, 14);
    loss.backward();
    expect(teachers[1]!.grad).toBeUndefined();
    expect(student.grad!.tolist()).toEqual([[-0.25, 0.25]]);
  });

  it("refuses no teacher, and one of another shape", () => {
    const student = torch.zeros([2, 3]);
    expect(() => meanDistillation(student, [])).toThrow("needs at least one teacher");
    expect(() => meanDistillation(student, [student, torch.zeros([2, 4])])).toThrow("[2, 3] and [2, 4]");
    expect(() => meanDistillation(student, [student], { temperature: 0 })).toThrow("temperature");
  });
});
