import { expect, test } from "vitest";
import { evaluateLogits } from "../evaluate-logits.js";
import type { Logits } from "../logits.js";
import { ofScores } from "../testing/of-scores.js";

const stabilityOf = (student: Logits, teacherLogits: Logits) =>
  evaluateLogits(student, new Int32Array(student.values.length / student.classes), { teacherLogits })
    .rankStability!;

test("worked by hand, without ties and with them", () => {
  // The teacher's best class is 0. Classes 1, 2, 3 have the ranks 3, 2, 1 by the teacher and 1, 3, 2 by the
  // student: ρ = 1 − 6 (2² + 1² + 1²) / (3 · 8) = −1/2.
  const [teacher, student] = [ofScores([0.4, 0.3, 0.2, 0.1]), ofScores([0.1, 0.2, 0.4, 0.3])];
  expect(stabilityOf(student, teacher)).toBeCloseTo(-1 / 2, 14);
  // The teacher's scores of classes 1 and 2 are equal and share the rank 2.5: deviations from the mean rank 2
  // are (0.5, 0.5, −1), those of the student (1, 0, −1): ρ = 1.5 / √(1.5 · 2).
  const tied = ofScores([0.5, 0.2, 0.2, 0.1]);
  expect(stabilityOf(ofScores([0.4, 0.3, 0.2, 0.1]), tied)).toBeCloseTo(1.5 / Math.sqrt(3), 14);
  const both = (a: Logits, b: Logits) => ({ values: Float64Array.of(...a.values, ...b.values), classes: 4 });
  const mean = stabilityOf(both(student, ofScores([0.4, 0.3, 0.2, 0.1])), both(teacher, tied));
  expect(mean).toBeCloseTo((-1 / 2 + 1.5 / Math.sqrt(3)) / 2, 14);
});

test("sees the order of classes whose scores are 0 in float64", () => {
  const teacher = { values: Float64Array.of(0, -1e4, -2e4, -3e4), classes: 4 };
  expect(stabilityOf(teacher, teacher)).toBe(1);
  expect(stabilityOf({ ...teacher, values: teacher.values.map((value) => -value) }, teacher)).toBe(-1);
});

test("is 0 where there is no order: two classes, or scores that are all equal", () => {
  expect(stabilityOf(ofScores([0.9, 0.1]), ofScores([0.8, 0.2]))).toBe(0);
  expect(stabilityOf(ofScores([0.5, 0.3, 0.2]), ofScores([0.8, 0.1, 0.1]))).toBe(0);
});
