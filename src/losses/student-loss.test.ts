import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { crossEntropy } from "./cross-entropy.js";
import { distillation } from "./distillation.js";
import { studentLoss } from "./student-loss.js";

const generator = new torch.Generator(5);
const logits = torch.randn([4, 3], { dtype: "float64", generator });
const teacher = torch.randn([4, 3], { dtype: "float64", generator });
const labels = torch.tensor([0, 1, 2, 0], { dtype: "int64" });

describe("studentLoss", () => {
  it.each([1, 3])("weighs the two terms, and returns them unweighted, at T = %d", (temperature) => {
    const options = { hardWeight: 0.6, softWeight: 0.9, temperature };
    const { loss, terms } = studentLoss(logits, labels, teacher, options);
    expect(terms.hard.item()).toBeCloseTo(crossEntropy(logits, labels).item(), 14);
    expect(terms.soft.item()).toBeCloseTo(distillation(logits, teacher, { temperature }).item(), 14);
    expect(loss.item()).toBeCloseTo(0.6 * terms.hard.item() + 0.9 * terms.soft.item(), 14);
  });

  it("lets no gradient into the teacher", () => {
    const student = logits.clone().requiresGrad_();
    const frozen = teacher.clone().requiresGrad_();
    studentLoss(student, labels, frozen, { hardWeight: 0.5, softWeight: 0.5 }).loss.backward();
    expect(frozen.grad).toBeUndefined();
    expect(student.grad!.norm().item()).toBeGreaterThan(0.01);
  });

  it("accepts either weight as 0, but not both, nor one out of range", () => {
    const at = (hardWeight: number, softWeight: number) =>
      studentLoss(logits, labels, teacher, { hardWeight, softWeight }).loss.item();
    expect(at(1, 0)).toBeCloseTo(crossEntropy(logits, labels).item(), 14);
    expect(at(0, 1)).toBeCloseTo(distillation(logits, teacher).item(), 14);
    for (const [hard, soft] of [
      [0, 0],
      [-0.1, 1],
      [1, -0.1],
      [Number.NaN, 1],
      [1, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
    ] as const) {
      expect(() => at(hard, soft)).toThrow(RangeError);
    }
  });

  it("leaves an infinite term out whose weight is 0", () => {
    const masked = logits.maskedFill(torch.tensor([[1, 0, 0]], { dtype: "bool" }), Number.NEGATIVE_INFINITY);
    const soft = studentLoss(masked, labels, masked, { hardWeight: 0, softWeight: 2 });
    expect(soft.terms.hard.item()).toBe(Number.POSITIVE_INFINITY);
    expect(soft.loss.item()).toBeCloseTo(0, 14);
    const kept = torch.tensor([1, 1, 2, 2], { dtype: "int64" });
    const hard = studentLoss(masked, kept, teacher, { hardWeight: 2, softWeight: 0 });
    expect(hard.terms.soft.item()).toBe(Number.POSITIVE_INFINITY);
    expect(hard.loss.item()).toBeCloseTo(2 * crossEntropy(masked, kept).item(), 14);
  });

  it("refuses shapes that do not fit", () => {
    const options = { hardWeight: 0.5, softWeight: 0.5 };
    expect(() => studentLoss(logits, labels, teacher.narrow(0, 0, 3), options)).toThrow("[4, 3] and [3, 3]");
    expect(() => studentLoss(logits, labels.narrow(0, 0, 3), teacher, options)).toThrow("[4, 3], got [3]");
    expect(() => studentLoss(logits, labels, teacher, { ...options, temperature: 0 })).toThrow("temperature");
  });
});
