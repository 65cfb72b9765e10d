import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateLogits } from "../evaluate-logits.js";
import type { Logits } from "../logits.js";
import { ofScores } from "../testing/of-scores.js";

const superclasses = [0, 0, 1, 1];
const evaluate = (logits: Logits, labels: number[]) => {
  const { superclassShare, superclassChance } = evaluateLogits(logits, labels, { superclasses });
  return [superclassShare!, superclassChance!] as const;
};

test("worked by hand: the best class is right, and wrong", () => {
  // Best class 0, label 0: beside it 0.2 of 0.4 lies in the superclass; of the 3 other classes 1 does.
  // Best class 3, label 0: beside it 0.1 + 0.3 of 0.6 lie in the superclass; of the 3 other classes 2 do.
  const [share, chance] = evaluate(ofScores([0.6, 0.2, 0.1, 0.1], [0.1, 0.3, 0.2, 0.4]), [0, 0]);
  expect(share).toBeCloseTo((1 / 2 + 2 / 3) / 2, 14);
  expect(chance).toBeCloseTo((1 / 3 + 2 / 3) / 2, 14);
});

test("is chance where all classes but the best one share alike", () => {
  const drawn = fc.record({
    best: fc.nat(3),
    label: fc.nat(3),
    logit: fc.double({ min: 0.1, max: 700, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(drawn, { minLength: 1, maxLength: 5 }), (images) => {
      const rows = images.map(({ best, logit }) => [0, 0, 0, 0].with(best, logit));
      const [share, chance] = evaluate(
        { values: Float64Array.from(rows.flat()), classes: 4 },
        images.map(({ label }) => label),
      );
      expect(share).toBeCloseTo(chance, 12);
    }),
  );
});

test("is exact where the best class has all score that float64 can hold", () => {
  const of = (...values: number[]) => evaluate({ values: Float64Array.from(values), classes: 4 }, [0])[0];
  expect(of(1e4, -1e4, -1e4, -1e30)).toBe(1 / 2);
  expect(of(0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(0);
});

test("superclasses that do not fit the classes are refused", () => {
  const logits = ofScores([0.6, 0.2, 0.2]);
  const given = (superclasses: number[]) => () => evaluateLogits(logits, [0], { superclasses });
  expect(given([0, 1])).toThrow(new TypeError("2 superclasses for 3 classes: one for each is needed"));
  expect(given([0, 0.5, 1])).toThrow(
    new RangeError("the superclass of class 1 must be a whole number from 0, got 0.5"),
  );
});
