import { expect, test } from "vitest";
import { evaluateLogits } from "../evaluate-logits.js";
import { ofScores } from "../testing/of-scores.js";

const logits = ofScores([0.1, 0.6, 0.05, 0.25], [0.4, 0.3, 0.2, 0.1]);
const mass = (k: number) => evaluateLogits(logits, [0, 0], { k }).secondaryMass;

test("worked by hand", () => {
  // Ranks 2 and 3: 0.25 + 0.1 and 0.3 + 0.2; the mean of 0.35 and 0.5 is 0.425.
  expect(mass(3)).toBeCloseTo(0.425, 14);
});

test("is the secondary score k − 1 times, and all but the top score where k is C", () => {
  const { secondaryMass, meanSecondaryScore, meanTopScore } = evaluateLogits(logits, [0, 0], { k: 4 });
  expect(secondaryMass).toBeCloseTo(3 * meanSecondaryScore, 14);
  expect(secondaryMass).toBeCloseTo(1 - meanTopScore, 14);
});
