import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { evaluateLogits, Predictions } from "../analysis/index.js";
import { loadScores, logitsOf, saveScores, scoresOf } from "./scores.js";

function written(values: Float64Array, classes: number, labels: Int32Array) {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-scores-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "scores.safetensors");
  saveScores(path, { test: scoresOf(new Predictions({ values, classes }), labels) });
  return path;
}

it("gives back every score of few classes within the rounding of float16", () => {
  const logits = { values: Float64Array.of(2, 1, -1, 0, 0.5, 3), classes: 3 };
  const labels = Int32Array.of(1, 2);
  const path = written(logits.values, 3, labels);
  const back = new Predictions(logitsOf(loadScores(path, "test")));
  const before = new Predictions(logits);
  for (const image of [0, 1])
    back.scores(image).forEach((score, c) => {
      const exact = before.scores(image)[c]!;
      // Float16 has 11 bits; each score is rounded once, and their sum scales them by as much again.
      expect(Math.abs(score - exact)).toBeLessThan(2 ** -10 * exact + 2 ** -24);
    });
});

it("keeps accuracy, the label's score and the mass of what it leaves out, for many classes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 300 }).chain((classes) =>
        fc.record({
          classes: fc.constant(classes),
          values: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), {
            minLength: 3 * classes,
            maxLength: 3 * classes,
          }),
          labels: fc.array(fc.integer({ min: 0, max: classes - 1 }), { minLength: 3, maxLength: 3 }),
        }),
      ),
      ({ classes, values, labels }) => {
        const logits = { values: Float64Array.from(values), classes };
        const truth = Int32Array.from(labels);
        const kept = scoresOf(new Predictions(logits), truth);
        const back = logitsOf(kept);
        const exact = new Predictions(logits);
        const read = new Predictions(back);
        for (const image of [0, 1, 2]) {
          expect(read.topClasses[image]).toBe(exact.topClasses[image]);
          const label = truth[image]!;
          const [after, before] = [read, exact].map((one) => Math.exp(one.logProbability(image, label)));
          // Float16 has 11 bits, and nothing finer than 2^-24; the sum of all scores adds as much again.
          expect(Math.abs(after! - before!)).toBeLessThan(2 ** -10 * before! + 2 ** -24);
          expect(read.scores(image).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 9);
        }
        expect(evaluateLogits(back, truth).top1).toBe(evaluateLogits(logits, truth).top1);
      },
    ),
    { numRuns: 30 },
  );
});

it("names a file that lacks a part", () => {
  const path = written(Float64Array.of(1, 2), 2, Int32Array.of(0));
  expect(() => loadScores(path, "heldOut")).toThrow(`${path}: holds no scores of the part "heldOut"`);
});
