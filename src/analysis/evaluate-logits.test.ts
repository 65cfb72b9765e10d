import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import type { EnsembleOptions } from "./ensemble.js";
import { evaluateEnsemble } from "./evaluate-ensemble.js";
import { defaultK, type Evaluation, evaluateLogits } from "./evaluate-logits.js";

type OfNetwork = Omit<Required<Evaluation>, "disagreement" | "gainOverMean" | "gainOverBest">;
type OfEnsemble = Omit<Required<Evaluation>, "teacherAgreement" | "teacherKl" | "rankStability">;

interface Case {
  name: string;
  classes: number;
  k: number;
  labels: number[];
  superclasses: number[];
  members: number[][];
  weights: number[];
  evaluation: OfNetwork;
  ensemble: OfEnsemble;
  weighted: OfEnsemble;
  ofLogits: OfEnsemble;
}

const cases: Case[] = JSON.parse(readFileSync(new URL("./fixtures/analysis.json", import.meta.url), "utf8"));

function expectClose(ours: object, theirs: object): void {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
  for (const [name, expected] of Object.entries(theirs)) {
    const got = [(ours as Record<string, number | number[]>)[name] ?? []].flat();
    const want = [expected as number | number[]].flat();
    expect(got, name).toHaveLength(want.length);
    want.forEach((v, i) => {
      expect(Math.abs(got[i]! - v), name).toBeLessThan(1e-11 * Math.max(1, v));
    });
  }
}

describe("against NumPy", () => {
  it.each(cases)("$name", ({ classes, k, labels, superclasses, members, weights, ...expected }) => {
    const logits = members.map((m) => ({ values: Float64Array.from(m), classes }));
    const network = { k, superclasses, teacherLogits: logits[1]! };
    expectClose(evaluateLogits(logits[0]!, labels, network), expected.evaluation);
    const together = (options: EnsembleOptions) =>
      evaluateEnsemble(logits, labels, { k, superclasses, ...options });
    expectClose(together({}), expected.ensemble);
    expectClose(together({ weights }), expected.weighted);
    expectClose(together({ weights, mean: "logits" }), expected.ofLogits);
  });
});

describe("evaluateLogits", () => {
  const logits = (rows: number[][]) => ({ values: Float64Array.from(rows.flat()), classes: rows[0]!.length });

  it("reads tensors as it reads plain values", () => {
    const values = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i));
    const labels = Int32Array.from({ length: 10 }, (_, i) => i % 6);
    const tensor = torch.tensor(values, { shape: [10, 6] });
    expect(evaluateLogits(tensor, labels)).toEqual(evaluateLogits({ values, classes: 6 }, labels));
    const columns = tensor.t().contiguous().t();
    expect(evaluateLogits(columns, labels)).toEqual(evaluateLogits(tensor, labels));
  });

  it("counts all labels in the top 5 of fewer classes, and ranks equal logits by class", () => {
    expect(evaluateLogits(logits([[3, 2, 1]]), [2])).toMatchObject({ top1: 0, top5: 1 });
    const equal = logits([[0, 0, 0, 0, 0, 0]]);
    expect(evaluateLogits(equal, [0])).toMatchObject({ top1: 1, top5: 1 });
    expect(evaluateLogits(equal, [4])).toMatchObject({ top1: 0, top5: 1 });
    expect(evaluateLogits(equal, [5])).toMatchObject({ top1: 0, top5: 0 });
  });

  it("leaves the agreement out where there is no teacher", () => {
    expect(evaluateLogits(logits([[1, 0]]), [0])).not.toHaveProperty("teacherAgreement");
  });

  it("is exact at extreme logits", () => {
    const sure = evaluateLogits(logits([[1e4, -1e4, -1e30]]), [1], { k: 3 });
    expect(sure).toMatchObject({
      top1: 0,
      nll: 2e4,
      ece: 1,
      meanTopScore: 1,
      meanSecondaryScore: 0,
      entropy: 0,
    });
    const ruledOut = evaluateLogits(logits([[0, Number.NEGATIVE_INFINITY, 0]]), [0]);
    expect(ruledOut.entropy).toBeCloseTo(Math.LN2, 14);
  });

  it("keeps scores ordered by rank, at most 1 in sum, and entropy within ln C", () => {
    const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
        const result = evaluateLogits(
          logits(rows),
          rows.map(() => 0),
          { k: 12 },
        );
        const { scoreByRank } = result;
        expect(scoreByRank).toHaveLength(10);
        scoreByRank.forEach((score, i) => {
          expect(score).toBeLessThanOrEqual(scoreByRank[i - 1] ?? 1);
        });
        expect(scoreByRank[0]).toBe(result.meanTopScore);
        expect(result.meanTopScore + 11 * result.meanSecondaryScore).toBeCloseTo(1, 12);
        expect(result.entropy).toBeGreaterThanOrEqual(-1e-12);
        expect(result.entropy).toBeLessThanOrEqual(Math.log(12) + 1e-12);
        expect(result.ece).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("takes five classes for primary and secondary, or all where there are fewer", () => {
    const of = (classes: number) => {
      const values = Float64Array.from({ length: 3 * classes }, (_, i) => Math.sin(i * i));
      const { scoreByRank, meanSecondaryScore } = evaluateLogits({ values, classes }, [0, 0, 0]);
      const mean = (k: number) => scoreByRank.slice(1, k).reduce((sum, score) => sum + score, 0) / (k - 1);
      expect(meanSecondaryScore).toBe(mean(defaultK(classes)));
    };
    for (const classes of [2, 3, 5, 6, 100]) of(classes);
    expect([2, 3, 5, 6, 100].map(defaultK)).toEqual([2, 3, 5, 5, 5]);
  });

  it("refuses what does not fit", () => {
    const two = logits([
      [1, 0],
      [0, 1],
    ]);
    expect(() => evaluateLogits(two, [0])).toThrow("1 labels for logits [2, 2]");
    expect(() => evaluateLogits(two, [0, 2])).toThrow(new RangeError("label 2 of image 1 is not in 0..1"));
    expect(() => evaluateLogits(two, [0, 1], { k: 3 })).toThrow(RangeError);
    expect(() => evaluateLogits(two, [0, 1], { k: 1 })).toThrow(RangeError);
    expect(() => evaluateLogits(torch.zeros([2, 2, 2]), [0, 0])).toThrow("got [2, 2, 2]");
    expect(() => evaluateLogits(torch.zeros([2, 2], { dtype: "int64" }), [0, 0])).toThrow("floating point");
    expect(() => evaluateLogits({ values: new Float32Array(5), classes: 2 }, [0])).toThrow(
      "5 values are not rows",
    );
    expect(() => evaluateLogits(two, [0, 1], { teacherLogits: logits([[1, 0]]) })).toThrow(
      "[2, 2] and [1, 2]",
    );
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() =>
        evaluateLogits(
          logits([
            [0, 0],
            [bad, 0],
          ]),
          [0, 0],
        ),
      ).toThrow(/^row 1 of the logits has no softmax/);
    }
  });
});
