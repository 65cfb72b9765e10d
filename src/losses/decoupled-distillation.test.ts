import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { decoupledDistillation } from "./decoupled-distillation.js";
import { distillation } from "./distillation.js";

const none = Number.NEGATIVE_INFINITY;
const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const label = (...labels: number[]) => torch.tensor(labels, { dtype: "int64" });
const row = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 5, maxLength: 5 });

describe("decoupledDistillation", () => {
  it("splits the label's class from the others, and the others among themselves", () => {
    const teacher = float64([[0.5, 0.3, 0.2]]).log();
    const student = float64([[0.8, 0.1, 0.1]]).log();
    const { target, nonTarget } = decoupledDistillation(student, teacher, label(0));
    expect(target.item()).toBeCloseTo(0.5 * Math.log(0.5 / 0.8) + 0.5 * Math.log(0.5 / 0.2), 14);
    expect(nonTarget.item()).toBeCloseTo(0.6 * Math.log(0.6 / 0.5) + 0.4 * Math.log(0.4 / 0.5), 14);
  });

  it("adds up to plain distillation where the others weigh what the teacher gives them", () => {
    fc.assert(
      fc.property(row, row, fc.nat(4), fc.constantFrom(1, 4), (a, b, y, temperature) => {
        const [student, teacher] = [float64([a]), float64([b])];
        const { target, nonTarget } = decoupledDistillation(student, teacher, label(y), { temperature });
        const score = teacher.div(temperature).softmax(1).select(1, y).item();
        const plain = distillation(student, teacher, { temperature }).item();
        const sum = target.item() + (1 - score) * nonTarget.item();
        // The terms are up to 40 T² in size, and 1 - score is rounded.
        expect(Math.abs(sum - plain)).toBeLessThan(1e-10);
      }),
    );
  });

  it("keeps what a sure teacher says of the other classes", () => {
    // In float32 the others' scores, 1e-13 of the whole, would be lost beside 1.
    const [teacher, student] = [torch.tensor([[30, 1, 0]]), torch.tensor([[30, 0, 0]])];
    const { nonTarget } = decoupledDistillation(student, teacher, label(0));
    const [p, q] = [Math.E / (Math.E + 1), 1 / (Math.E + 1)];
    expect(nonTarget.item()).toBeCloseTo(p * Math.log(2 * p) + q * Math.log(2 * q), 6);
  });

  it("has no divergence among the others where there is one, or none that is not masked", () => {
    const two = decoupledDistillation(float64([[1, 2]]), float64([[3, 1]]), label(1));
    expect(two.nonTarget.item()).toBe(0);
    const student = float64([
      [0, 1, 2],
      [0, none, none],
    ]).requiresGrad_();
    const teacher = float64([
      [0, none, none],
      [0, none, none],
    ]);
    const { target, nonTarget } = decoupledDistillation(student, teacher, label(0, 0));
    expect(nonTarget.item()).toBe(0);
    expect(target.item()).toBeCloseTo(Math.log(1 + Math.E + Math.E ** 2) / 2, 14);
    const [gradient] = torch.grad(target.add(nonTarget), [student]);
    expect(gradient!.isfinite().all().item()).toBe(1);
  });

  it("is infinite, with a finite gradient, where the student masks all that the teacher does not", () => {
    const student = float64([[0, none, none]]).requiresGrad_();
    const { target, nonTarget } = decoupledDistillation(student, float64([[0, 1, 2]]), label(0));
    expect(target.item()).toBe(Number.POSITIVE_INFINITY);
    const [gradient] = torch.grad(target.add(nonTarget), [student]);
    expect(gradient!.isfinite().all().item()).toBe(1);
  });

  it("refuses labels out of range, and one class", () => {
    const logits = torch.zeros([1, 3]);
    for (const y of [3, -1]) expect(() => decoupledDistillation(logits, logits, label(y))).toThrow(Error);
    expect(() => decoupledDistillation(torch.zeros([1, 1]), torch.zeros([1, 1]), label(0))).toThrow(
      "two classes or more",
    );
  });
});
