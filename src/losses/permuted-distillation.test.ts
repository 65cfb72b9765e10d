import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { distillation } from "./distillation.js";
import { drawOrder, permutedDistillation } from "./permuted-distillation.js";

const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const order = (rows: number[][]) => torch.tensor(rows, { dtype: "int64" });
const logits = fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 5, maxLength: 5 });

/** The target of a loss at the student's logits: where all its own scores are equal, scores minus the gradient. */
function targetOf(teacher: number[], by: number[]): number[] {
  const student = float64([teacher.map(() => 0)]).requiresGrad_();
  const [gradient] = torch.grad(permutedDistillation(student, float64([teacher]), { order: order([by]) }), [
    student,
  ]);
  return Array.from(gradient!.toTypedArray(), Number).map((value) => 1 / teacher.length - value);
}

describe("permutedDistillation", () => {
  it("keeps the best score where it is, and gives the others to each other", () => {
    const teacher = [0.1, 0.5, 0.15, 0.25].map(Math.log);
    // The classes after the best one, in a circle, are 2, 3 and 0.
    targetOf(teacher, [1, 2, 0]).forEach((value, i) => {
      expect(value).toBeCloseTo([0.15, 0.5, 0.25, 0.1][i]!, 14);
    });
  });

  it("has the teacher's scores, each once, whatever the order", () => {
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(logits, orders, (values, by) => {
        const teacher = values.map((value) => value / 50);
        const scores = Array.from(float64([teacher]).softmax(1).toTypedArray(), Number);
        const target = targetOf(teacher, by);
        const best = scores.indexOf(Math.max(...scores));
        expect(target[best]).toBeCloseTo(scores[best]!, 12);
        const sorted = (list: number[]) => [...list].sort((a, b) => a - b);
        sorted(target).forEach((value, i) => {
          expect(value).toBeCloseTo(sorted(scores)[i]!, 12);
        });
      }),
    );
  });

  it("is distillation where no score changes its place", () => {
    const [student, teacher] = [float64([[1, 3, 2]]), float64([[0, 1, 5]])];
    const kept = permutedDistillation(student, teacher, { order: order([[0, 1]]), temperature: 3 });
    expect(kept.item()).toBe(distillation(student, teacher, { temperature: 3 }).item());
    const alone = float64([[1]]);
    expect(
      permutedDistillation(alone, alone, { order: torch.zeros([1, 0], { dtype: "int64" }) }).item(),
    ).toBe(0);
  });

  it("lets no gradient into the teacher, and refuses orders that do not fit", () => {
    const [student, teacher] = [float64([[1, 2, 4]]).requiresGrad_(), float64([[1, 2, 3]]).requiresGrad_()];
    permutedDistillation(student, teacher, { order: order([[1, 0]]) }).backward();
    expect(teacher.grad).toBeUndefined();
    expect(() => permutedDistillation(student, teacher, { order: order([[0, 1, 2]]) })).toThrow(
      "order must be [1, 2], got [1, 3]",
    );
    expect(() => permutedDistillation(student, teacher, { order: float64([[0, 1]]) })).toThrow("int64");
    expect(() => permutedDistillation(student, teacher, { order: order([[0, 2]]) })).toThrow(Error);
  });
});

describe("drawOrder", () => {
  it("gives each row an order of its own, the same for the same seed", () => {
    const drawn = drawOrder(50, 9, { seed: 3 }).tolist() as number[][];
    for (const row of drawn) expect([...row].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(45);
    expect(drawOrder(50, 9, { seed: 3 }).tolist()).toEqual(drawn);
    expect(drawOrder(50, 9, { seed: 4 }).tolist()).not.toEqual(drawn);
  });

  it("draws every order about equally often", () => {
    const drawn = (drawOrder(6000, 3, { seed: 1 }).tolist() as number[][]).map(String);
    for (const one of new Set(drawn)) {
      const count = drawn.filter((other) => other === one).length;
      // The standard deviation is 29 about 1000.
      expect(Math.abs(count - 1000)).toBeLessThan(150);
    }
    expect(new Set(drawn).size).toBe(6);
  });
});
