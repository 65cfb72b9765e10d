/** Weights of loss terms that may change from student to student of a line. */
import type { ZodType } from "zod";
import type { Z } from "../options.js";
import type { Place } from "./define.js";

/**
 * A weight: one number for all students, a list by student of which the last one goes on, or a range that is gone through
 * in equal steps from the first student to the last.
 */
export type Weight = number | number[] | { from: number; to: number };

/** The largest weight that a recipe may give. */
const largest = 1e6;

/** Makes the schema of a weight that is the same for all students. */
export const fixedWeight = (z: Z) => z.number().min(0).max(largest);

/** Makes the schema of a weight that may change. */
export function weight(z: Z): ZodType<Weight, Weight> {
  const one = fixedWeight(z);
  return z.union([
    one,
    z.array(one).min(1).max(100),
    z.strictObject({
      from: one.describe("The weight of the first student."),
      to: one.describe("The weight of the last student."),
    }),
  ]);
}

/** What a description says of such a weight. */
export const mayChange =
  "A list gives one for each student, the last one going on; {from, to} goes in equal steps from the first student to the last.";

/** Gives a weight as it is for one generation. */
export function weightAt(weight: Weight, { generation, generations }: Place): number {
  const student = Math.max(0, generation - 1);
  if (typeof weight === "number") return weight;
  if (Array.isArray(weight)) return weight[Math.min(student, weight.length - 1)]!;
  const steps = Math.max(1, generations - 2);
  if (student === 0) return weight.from;
  if (student >= steps) return weight.to;
  const reached = (weight.from * (steps - student) + weight.to * student) / steps;
  // Without the last digits, in which 0.1 + 0.2 is not 0.3, a step is the number that a person would write in a list.
  return Number(reached.toPrecision(12));
}

/**
 * Gives a weight that is one number already.
 *
 * @throws TypeError when it still changes along the line
 */
export function settled(weight: Weight): number {
  if (typeof weight === "number") return weight;
  throw new TypeError("a weight that changes along the line must be made one number, by the method's `at`");
}

/** Puts a weight into words. */
export function weightInWords(weight: Weight): string {
  if (typeof weight === "number") return `${weight}`;
  return Array.isArray(weight) ? weight.join(", then ") : `${weight.from} going to ${weight.to}`;
}
