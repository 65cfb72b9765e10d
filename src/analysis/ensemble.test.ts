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
});
