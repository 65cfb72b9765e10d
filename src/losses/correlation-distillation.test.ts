import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { correlation, correlationDistillation } from "./correlation-distillation.js";

const float64 = (rows: number[][]) => torch.tensor(rows, { dtype: "float64" });
const values = fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 6, maxLength: 6 });

describe("correlationDistillation", () => {
  it("does not change when a row of scores is scaled and shifted", () => {
    fc.assert(
      fc.property(
        values,
        values,
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.double({ min: -10, max: 10, noNaN: true }),
        (a, b, scale, shift) => {
          const plain = correlation(float64([a]), float64([b]), 1).item();
          const moved = correlation(float64([a.map((v) => v * scale + shift)]), float64([b]), 1).item();
          // Six different whole numbers have a norm above 4, beside which the 1e-8 of the definition is small.
          expect(Math.abs(plain - moved)).toBeLessThan(1e-8);
          expect(Math.abs(plain)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("is 0 where student and teacher agree, and 2 where all is the other way round", () => {
    const scores = float64([
      [0.6, 0.3, 0.1],
      [0.2, 0.1, 0.7],
    ]);
    const same = correlationDistillation(scores.log(), scores.log());
    expect(same.inter.item()).toBeCloseTo(0, 6);
    expect(same.intra.item()).toBeCloseTo(0, 6);
    const opposite = scores.neg().add(2 / 3);
    expect(correlation(scores, opposite, 1).mean().item()).toBeCloseTo(-1, 6);
  });

  it("relates the classes of an image, and the images of a class", () => {
    // Among classes, student and teacher agree in both images; among images, in no class.
    const student = float64([
      [2, 1, 0],
      [4, 2, 0],
    ]);
    const teacher = float64([
      [4, 2, 0],
      [2, 1, 0],
    ]);
    const { inter, intra } = correlationDistillation(student, teacher);
    expect(inter.item()).toBeLessThan(0.1);
    expect(intra.item()).toBeCloseTo(2, 5);
  });

  it("finds no correlation in one image alone, nor among equal scores, and no gradient either", () => {
    const student = float64([[1, 1, 1]]).requiresGrad_();
    const { inter, intra } = correlationDistillation(student, float64([[1, 2, 3]]), { temperature: 2 });
    expect(inter.item()).toBe(4);
    expect(intra.item()).toBe(4);
    const [gradient] = torch.grad(inter.add(intra), [student]);
    expect(gradient!.isfinite().all().item()).toBe(1);
  });

  it("is finite where classes are masked", () => {
    const student = float64([
      [1, 2, Number.NEGATIVE_INFINITY],
      [2, 1, Number.NEGATIVE_INFINITY],
    ]).requiresGrad_();
    const { inter, intra } = correlationDistillation(student, student.detach());
    // The masked class has the same score in all images, so that it is as far as can be from a correlation.
    expect(intra.item()).toBeCloseTo(1 / 3, 6);
    const [gradient] = torch.grad(inter.add(intra), [student]);
    expect(gradient!.isfinite().all().item()).toBe(1);
  });

  it("lets no gradient into the teacher, and refuses what does not fit", () => {
    const [student, teacher] = [float64([[1, 2, 4]]).requiresGrad_(), float64([[1, 2, 3]]).requiresGrad_()];
    correlationDistillation(student, teacher).inter.backward();
    expect(teacher.grad).toBeUndefined();
    expect(() => correlationDistillation(student, torch.zeros([2, 3]))).toThrow("[1, 3] and [2, 3]");
    expect(() => correlationDistillation(student, student, { temperature: -1 })).toThrow(RangeError);
  });
});
