import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adaptiveCalibrationError,
  binSums,
  expectedCalibrationError,
  reliabilityBins,
} from "./calibration.js";
import { evaluateLogits } from "./evaluate-logits.js";
import { ofScores } from "./testing/of-scores.js";

describe("expectedCalibrationError", () => {
  it("is 0 where in every bin as many predictions are right as the confidence says", () => {
    const group = fc
      .integer({ min: 1, max: 12 })
      .chain((size) => fc.record({ size: fc.constant(size), right: fc.nat(size) }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 10 }), (groups) => {
        const confidences = groups.flatMap(({ size, right }) => Array(size).fill(right / size));
        const correct = groups.flatMap(({ size, right }) =>
          Array.from({ length: size }, (_, i) => i < right),
        );
        expect(expectedCalibrationError(confidences, correct)).toBeLessThan(1e-14);
      }),
    );
  });

  it("is the weighted gap of each bin; gaps of one bin cancel, those of two do not", () => {
    expect(expectedCalibrationError([0.9, 0.9, 0.9, 0.9], [1, 1, 1, 0])).toBeCloseTo(0.15, 14);
    expect(expectedCalibrationError([0.7, 0.71], [1, 0])).toBeCloseTo(0.205, 14);
    expect(expectedCalibrationError([0.72, 0.75], [1, 0])).toBeCloseTo((0.28 + 0.75) / 2, 14);
    expect(expectedCalibrationError([0.72, 0.75], [1, 0], 1)).toBeCloseTo(0.235, 14);
  });

  it("puts an edge into the lower bin, and 0 and 1 into the outer ones", () => {
    expect(expectedCalibrationError([0.5, 0.3, 0.51], [0, 1, 1], 2)).toBeCloseTo((0.2 + 0.49) / 3, 14);
    const [below, above] = [2 / 3 - 1e-16, 2 / 3 + 1e-15];
    expect(expectedCalibrationError([below, above], [1, 0])).toBeCloseTo(1 / 6, 14);
    expect(expectedCalibrationError([0, 1], [true, false])).toBe(1);
  });

  it("refuses what does not fit", () => {
    expect(() => expectedCalibrationError([], [])).toThrow(TypeError);
    expect(() => expectedCalibrationError([0.5], [])).toThrow("0 and 1");
    expect(() => expectedCalibrationError([1.01], [1])).toThrow(RangeError);
    expect(() => expectedCalibrationError([Number.NaN], [1])).toThrow(RangeError);
    expect(() => expectedCalibrationError([0.5], [1], 0)).toThrow(RangeError);
  });
});

/** Predictions of any number of images: a top score, often one that others have too, and whether it is right. */
const predictions = fc.array(
  fc.record({ confidence: fc.integer({ min: 0, max: 20 }).map((v) => v / 20), right: fc.boolean() }),
  { minLength: 1, maxLength: 50 },
);

describe("adaptiveCalibrationError", () => {
  it("cuts the sorted images into bins of as many each, worked by hand", () => {
    // Sorted: 0.6 right, 0.7 wrong | 0.8 right, 0.9 right. Gaps: |1 − 1.3| + |2 − 1.7| = 0.6, of 4 images 0.15.
    // Both bins of equal width would be one, where the gaps cancel.
    const [confidences, correct] = [
      [0.9, 0.6, 0.8, 0.7],
      [1, 1, 1, 0],
    ] as const;
    expect(adaptiveCalibrationError(confidences, correct, 2)).toBeCloseTo(0.15, 14);
    expect(expectedCalibrationError(confidences, correct, 2)).toBeCloseTo(0, 14);
    // Five images in two bins are three and two. {0.2 wrong, 0.4 right, 0.6 right}: 2 − 1.2 = 0.8; {0.8 wrong, 1 right}: 1 − 1.8 = −0.8; together 1.6 / 5.
    expect(adaptiveCalibrationError([0.2, 0.4, 0.6, 0.8, 1], [0, 1, 1, 0, 1], 2)).toBeCloseTo(0.32, 14);
  });

  it("shares the right ones among images of one top score, wherever the cut falls", () => {
    for (const correct of [
      [1, 1, 0, 0],
      [0, 0, 1, 1],
      [1, 0, 0, 1],
    ])
      expect(adaptiveCalibrationError([0.5, 0.5, 0.5, 0.5], correct, 2)).toBe(0);
  });

  it("does not depend on the order of images, and takes each for a bin where bins are enough", () => {
    fc.assert(
      fc.property(predictions, (all) => {
        const error = (images: typeof all, bins?: number) =>
          adaptiveCalibrationError(
            images.map(({ confidence }) => confidence),
            images.map(({ right }) => right),
            bins,
          );
        expect(error(all.toReversed())).toBeCloseTo(error(all), 12);
        const distinct = all.filter(
          ({ confidence }, i) => all.findIndex((one) => one.confidence === confidence) === i,
        );
        const each = distinct.map(({ confidence, right }) => Math.abs(Number(right) - confidence));
        const mean = each.reduce((sum, gap) => sum + gap, 0) / each.length;
        expect(error(distinct, 100)).toBeCloseTo(mean, 12);
      }),
    );
  });

  it("is the expected calibration error where top scores are spread evenly, and where there is one bin", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (correct) => {
        const confidences = correct.map((_, i) => (i + 0.5) / 60);
        for (const bins of [1, 4, 15])
          expect(adaptiveCalibrationError(confidences, correct, bins)).toBeCloseTo(
            expectedCalibrationError(confidences, correct, bins),
            12,
          );
      }),
    );
  });
});

describe("reliability", () => {
  it("is the bins' part of all images, their right ones and their top scores, worked by hand", () => {
    // Top scores 0.7 (right), 0.5 (wrong), 0.7 (wrong), of 15 bins in (10/15, 11/15] and (7/15, 8/15].
    const logits = ofScores([0.7, 0.2, 0.1], [0.25, 0.25, 0.5], [0.1, 0.7, 0.2]);
    const { reliability } = evaluateLogits(logits, [0, 0, 0]);
    expect(reliability).toHaveLength(45);
    const bins = reliabilityBins(reliability);
    expect(bins).toHaveLength(2);
    const [lower, upper] = bins;
    expect(lower).toMatchObject({ lower: 7 / 15, upper: 8 / 15, share: 1 / 3, accuracy: 0 });
    expect(lower!.confidence).toBeCloseTo(0.5, 14);
    expect(upper).toMatchObject({ lower: 10 / 15, upper: 11 / 15, share: 2 / 3, accuracy: 1 / 2 });
    expect(upper!.confidence).toBeCloseTo(0.7, 14);
  });

  it("adds up to what other metrics are", () => {
    fc.assert(
      fc.property(predictions, fc.integer({ min: 1, max: 20 }), (all, bins) => {
        const [confidences, correct] = [
          all.map(({ confidence }) => confidence),
          all.map(({ right }) => Number(right)),
        ];
        const sums = binSums(confidences, correct, bins);
        const sum = (value: (bin: (typeof sums)[number]) => number) =>
          sums.reduce((total, bin) => total + value(bin), 0);
        const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / all.length;
        expect(sum(({ images }) => images)).toBeCloseTo(1, 12);
        expect(sum(({ right }) => right)).toBeCloseTo(mean(correct), 12);
        expect(sum(({ confidence }) => confidence)).toBeCloseTo(mean(confidences), 12);
        expect(sum(({ right, confidence }) => Math.abs(right - confidence))).toBeCloseTo(
          expectedCalibrationError(confidences, correct, bins),
          12,
        );
      }),
    );
  });

  it("is read back in threes only", () => {
    expect(() => reliabilityBins([1, 0])).toThrow("three numbers for each bin, got 2 numbers");
    expect(() => reliabilityBins([])).toThrow(TypeError);
  });
});
