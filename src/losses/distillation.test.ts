import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { distillation } from "./distillation.js";
import { difference } from "./fixtures/cases.js";

const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 5, maxLength: 5 });
const temperatures = fc.constantFrom(0.5, 1, 4);
const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });

describe("distillation", () => {
  it("is KL(teacher ‖ student), in that direction, the mean over the batch", () => {
    const teacher = float64([
      [0.5, 0.5],
      [0.2, 0.8],
    ]).log();
    const student = float64([
      [0.25, 0.75],
      [0.2, 0.8],
    ]).log();
    const kl = 0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75);
    expect(distillation(student, teacher).item()).toBeCloseTo(kl / 2, 14);
  });

  it("is never negative, and 0 with no gradient where the two agree", () => {
    fc.assert(
      fc.property(row, row, temperatures, (a, b, temperature) => {
        const student = float64([a]).requiresGrad_();
        expect(distillation(student, float64([b]), { temperature }).item()).toBeGreaterThanOrEqual(-1e-12);
        const same = distillation(student, float64([a]), { temperature });
        expect(same.item()).toBeCloseTo(0, 14);
        const [gradient] = torch.grad(same, [student]);
        expect(gradient!.abs().amax([0, 1]).item()).toBeLessThan(1e-14);
      }),
    );
  });

  it("keeps the gradient's size as the temperature grows (T²)", () => {
    // Without T² it would vanish. As T grows it tends to (student - teacher) / C, both centred.
    const student = float64([[1, 2, 3]]).requiresGrad_();
    const loss = distillation(student, float64([[3, 0, 3]]), { temperature: 1e4 });
    const [gradient] = torch.grad(loss, [student]);
    expect(difference(Array.from(gradient!.toTypedArray(), Number), [-2 / 3, 2 / 3, 0])).toBeLessThan(1e-3);
  });

  it("lets no gradient into the teacher", () => {
    const student = float64([[1, 2, 3]]).requiresGrad_();
    const teacher = float64([[3, 2, 0]]).requiresGrad_();
    distillation(student, teacher).backward();
    expect(teacher.grad).toBeUndefined();
    expect(student.grad!.norm().item()).toBeGreaterThan(0.1);
  });

  it("takes 0 · ln 0 as 0 where the teacher masks a class, and is infinite where the student alone does", () => {
    const none = Number.NEGATIVE_INFINITY;
    // The teacher's scores are 0.25, 0, 0.75; the student's are 0.5, 0.25, 0.25.
    const teacher = float64([[Math.log(0.25), none, Math.log(0.75)]]);
    const student = float64([[Math.log(0.5), Math.log(0.25), Math.log(0.25)]]).requiresGrad_();
    const loss = distillation(student, teacher);
    expect(loss.item()).toBeCloseTo(0.25 * Math.log(0.25 / 0.5) + 0.75 * Math.log(0.75 / 0.25), 14);
    // The gradient is the student's scores minus the teacher's.
    const [gradient] = torch.grad(loss, [student]);
    expect(difference(Array.from(gradient!.toTypedArray(), Number), [0.25, 0.25, -0.5])).toBeLessThan(1e-14);

    const strict = float64([[Math.log(0.5), Math.log(0.5), none]]).requiresGrad_();
    const infinite = distillation(strict, teacher);
    expect(infinite.item()).toBe(Number.POSITIVE_INFINITY);
    const [finite] = torch.grad(infinite, [strict]);
    expect(difference(Array.from(finite!.toTypedArray(), Number), [0.25, 0.5, -0.75])).toBeLessThan(1e-14);
  });

  it("stays NaN where the logits are", () => {
    const bad = float64([[Number.NaN, 0]]);
    expect(distillation(bad, float64([[0, Number.NEGATIVE_INFINITY]])).item()).toBeNaN();
    expect(distillation(float64([[0, 1]]), bad).item()).toBeNaN();
  });

  it("refuses shapes that differ and temperatures out of range", () => {
    expect(() => distillation(torch.zeros([2, 3]), torch.zeros([2, 4]))).toThrow(
      new TypeError("student and teacher logits differ in shape: [2, 3] and [2, 4]"),
    );
    expect(() => distillation(torch.zeros([2, 3]), torch.zeros([3]))).toThrow(
      "teacher logits must be [N, C]",
    );
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => distillation(torch.zeros([1, 2]), torch.zeros([1, 2]), { temperature })).toThrow(
        RangeError,
      );
    }
  });
});
