import { describe, expect, it } from "vitest";
import { ensembleLogits, ensembleProbabilities } from "./ensemble.js";
import { evaluateLogits } from "./evaluate-logits.js";

const row = (...values: number[]) => ({ values: Float64Array.from(values), classes: values.length });

describe("ensembles", () => {
  it("average scores, not logits", () => {
    const scores = ensembleProbabilities([row(Math.log(9), 0), row(0, Math.log(3))]);
    expect(scores[0]).toBeCloseTo((0.9 + 0.25) / 2, 14);
    expect(scores[1]).toBeCloseTo((0.1 + 0.75) / 2, 14);
  });

  it("of one member, or of equal ones, are evaluated as that member is", () => {
    const member = { values: Float32Array.from({ length: 40 }, (_, i) => 3 * Math.cos(i * i)), classes: 8 };
    const labels = [0, 1, 2, 3, 4];
    const alone = evaluateLogits(member, labels);
    for (const members of [[member], [member, member, member]]) {
      const together = evaluateLogits(ensembleLogits(members), labels);
      expect(together.top1).toBe(alone.top1);
      expect(together.nll).toBeCloseTo(alone.nll, 12);
      expect(together.ece).toBeCloseTo(alone.ece, 12);
    }
  });

  it("stay finite where every member rules the label out", () => {
    const members = [row(1e4, -1e4, 0), row(1e4, -1e30, 0)];
    expect(evaluateLogits(ensembleLogits(members), [1]).nll).toBeCloseTo(2e4 + Math.LN2, 9);
    expect(ensembleProbabilities(members)).toEqual(Float64Array.of(1, 0, 0));
  });

  it("keep a class that all rule out for good at 0", () => {
    const never = row(0, Number.NEGATIVE_INFINITY, 0);
    expect(ensembleProbabilities([never, never])[1]).toBe(0);
  });

  it("refuse to be empty, to differ in shape, and NaN", () => {
    expect(() => ensembleLogits([])).toThrow("at least one member");
    expect(() => ensembleLogits([row(0, 1), row(0, 1, 2)])).toThrow("[1, 2] and [1, 3]");
    expect(() => ensembleLogits([row(0, 1), row(0, Number.NaN)])).toThrow(/row 0 of the logits/);
  });

  it("count members by their weights", () => {
    // p = (0.9, 0.1) and (0.25, 0.75), the second counted three times: (0.9 + 0.75) / 4 and (0.1 + 2.25) / 4.
    const members = [row(Math.log(9), 0), row(0, Math.log(3))];
    const scores = ensembleProbabilities(members, { weights: [1, 3] });
    expect(scores[0]).toBeCloseTo(1.65 / 4, 14);
    expect(scores[1]).toBeCloseTo(2.35 / 4, 14);
    const thrice = ensembleProbabilities([members[0]!, members[1]!, members[1]!, members[1]!]);
    scores.forEach((score, c) => {
      expect(score).toBeCloseTo(thrice[c]!, 14);
    });
  });

  it("may average logits instead: the geometric mean of scores", () => {
    // Logits (ln 9, 0) and (0, ln 4) have the mean (ln 3, ln 2), whose softmax is (3/5, 2/5).
    const scores = ensembleProbabilities([row(Math.log(9), 0), row(0, Math.log(4))], { mean: "logits" });
    expect(scores[0]).toBeCloseTo(3 / 5, 14);
    expect(scores[1]).toBeCloseTo(2 / 5, 14);
    // Counted 1 : 0.5, they have the mean (2/3 ln 9, 1/3 ln 4), and scores in the proportion 9^(2/3) : 4^(1/3).
    const [a, b] = [9 ** (2 / 3), 4 ** (1 / 3)];
    const weighted = ensembleProbabilities([row(Math.log(9), 0), row(0, Math.log(4))], {
      mean: "logits",
      weights: [1, 0.5],
    });
    expect(weighted[0]).toBeCloseTo(a / (a + b), 14);
  });

  it.each(["softmax", "logits"] as const)("by the mean of %s: members of weight 0 are left out", (mean) => {
    const [a, b] = [row(1, 2, 0), row(0, Number.NEGATIVE_INFINITY, 3)];
    const alone = ensembleProbabilities([a], { mean });
    expect(ensembleProbabilities([a, b], { mean, weights: [2, 0] })).toEqual(alone);
    const equal = ensembleProbabilities([a, a], { mean, weights: [0.5, 0.5] });
    equal.forEach((score, c) => {
      expect(score).toBeCloseTo(alone[c]!, 14);
    });
    const far = [row(1e4, -1e4, 0), row(1e4, -1e30, 0)];
    expect(Number.isFinite(ensembleLogits(far, { mean, weights: [1, 1e-9] }).values[1]!)).toBe(true);
  });

  it("refuse weights and means that are none", () => {
    const members = [row(0, 1), row(1, 0)];
    const given = (weights: number[]) => () => ensembleLogits(members, { weights });
    expect(given([1])).toThrow("an ensemble of 2 needs as many weights, got 1");
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(given([1, wrong])).toThrow(`a weight must be a number of 0 or more, got ${wrong}`);
    expect(given([0, 0])).toThrow("the weights of an ensemble add up to 0");
    expect(given([1e308, 1e308])).toThrow(RangeError);
    expect(() => ensembleLogits(members, { mean: "median" as never })).toThrow('got "median"');
    const [one, other] = [row(0, Number.NEGATIVE_INFINITY), row(Number.NEGATIVE_INFINITY, 0)];
    expect(() => ensembleLogits([one, other], { mean: "logits" })).toThrow(
      "row 0 of the logits has no softmax",
    );
  });
});
