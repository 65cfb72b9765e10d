import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { crossEntropy } from "./cross-entropy.js";
import { distillation } from "./distillation.js";
import { topKDistillation } from "./top-k-distillation.js";

const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const row = fc.uniqueArray(fc.integer({ min: -300, max: 300 }), { minLength: 5, maxLength: 5 });

describe("topKDistillation", () => {
  it("takes the k best scores, scaled to sum to 1", () => {
    const teacher = float64([[0.1, 0.5, 0.3, 0.1]]).log();
    const student = float64([[0.25, 0.25, 0.25, 0.25]]).log();
    const expected = 0.625 * Math.log(0.625 / 0.25) + 0.375 * Math.log(0.375 / 0.25);
    expect(topKDistillation(student, teacher, { k: 2 }).item()).toBeCloseTo(expected, 14);
  });

  it("is distillation with all classes, and the cross-entropy with the teacher's best class with one", () => {
    fc.assert(
      fc.property(row, row, fc.constantFrom(1, 4), (a, b, temperature) => {
        const [student, teacher] = [a, b].map((values) => float64([values.map((value) => value / 10)]));
        const all = topKDistillation(student!, teacher!, { k: 5, temperature }).item();
        const plain = distillation(student!, teacher!, { temperature }).item();
        expect(Math.abs(all - plain)).toBeLessThan(1e-12 * Math.max(1, plain));
        const one = topKDistillation(student!, teacher!, { k: 1 }).item();
        expect(Math.abs(one - crossEntropy(student!, teacher!.argmax(1)).item())).toBeLessThan(1e-12);
      }),
    );
  });

  it("pays for score on classes that the teacher does not tell of", () => {
    const student = float64([[1, 1, 1]]).requiresGrad_();
    const [gradient] = torch.grad(topKDistillation(student, float64([[2, 2, 0]]), { k: 2 }), [student]);
    const [first, second, third] = Array.from(gradient!.toTypedArray(), Number);
    // Scores minus targets.
    expect(first).toBeCloseTo(1 / 3 - 1 / 2, 14);
    expect(second).toBeCloseTo(1 / 3 - 1 / 2, 14);
    expect(third).toBeCloseTo(1 / 3, 14);
  });

  it.each([0, 4, 1.5, Number.NaN])("refuses k = %d for 3 classes", (k) => {
    expect(() => topKDistillation(torch.zeros([2, 3]), torch.zeros([2, 3]), { k })).toThrow(
      new RangeError(`k must be a whole number from 1 to the 3 classes, got ${k}`),
    );
  });
});
