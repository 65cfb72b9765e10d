import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { distillation } from "./distillation.js";
import { standardisedDistillation } from "./standardised-distillation.js";

const none = Number.NEGATIVE_INFINITY;
const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const values = fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 5, maxLength: 5 });
const scales = fc.double({ min: 0.1, max: 10, noNaN: true });
const shifts = fc.double({ min: -10, max: 10, noNaN: true });

describe("standardisedDistillation", () => {
  it("does not change when an image's logits are scaled and shifted", () => {
    fc.assert(
      fc.property(
        values,
        values,
        scales,
        shifts,
        fc.constantFrom(1, 2),
        (a, b, scale, shift, temperature) => {
          const move = (row: number[]) => float64([row.map((v) => v * scale + shift)]);
          const at = (student: torch.Tensor, teacher: torch.Tensor) =>
            standardisedDistillation(student, teacher, { temperature }).item();
          const plain = at(float64([a]), float64([b]));
          // Five different whole numbers deviate by more than 1, a tenth of which is large beside the 1e-7 of the definition.
          expect(Math.abs(at(move(a), float64([b])) - plain)).toBeLessThan(1e-5);
          expect(Math.abs(at(float64([a]), move(b)) - plain)).toBeLessThan(1e-5);
          expect(at(move(a), float64([a]))).toBeLessThan(1e-5);
        },
      ),
    );
  });

  it("is distillation of logits of mean 0 and deviation 1", () => {
    const [student, teacher] = [float64([[1, -1, 0]]), float64([[0, 1, -1]])];
    const expected = distillation(student, teacher, { temperature: 2 }).item();
    expect(standardisedDistillation(student, teacher, { temperature: 2 }).item()).toBeCloseTo(expected, 6);
  });

  it("leaves masked classes out of mean and deviation", () => {
    const [student, teacher] = [float64([[1, none, 3, 8]]).requiresGrad_(), float64([[2, none, 9, 1]])];
    const loss = standardisedDistillation(student, teacher);
    const fewer = standardisedDistillation(float64([[1, 3, 8]]), float64([[2, 9, 1]]));
    expect(loss.item()).toBeCloseTo(fewer.item(), 14);
    const [gradient] = torch.grad(loss, [student]);
    expect(gradient!.isfinite().all().item()).toBe(1);
    expect(gradient!.select(1, 1).item()).toBe(0);
  });

  it("is finite, with a finite gradient, where all logits are equal or one class is left", () => {
    for (const row of [
      [2, 2, 2],
      [none, 1, none],
    ]) {
      const student = float64([row]).requiresGrad_();
      const loss = standardisedDistillation(student, float64([row]));
      expect(loss.item()).toBe(0);
      expect(torch.grad(loss, [student])[0]!.isfinite().all().item()).toBe(1);
    }
  });
});
