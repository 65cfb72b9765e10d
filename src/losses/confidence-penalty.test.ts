import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { confidencePenalty } from "./confidence-penalty.js";
import { crossEntropy } from "./cross-entropy.js";

const labels = torch.tensor([0, 1], { dtype: "int64" });

describe("confidencePenalty", () => {
  it("subtracts the mean entropy, which is ln C where all classes have the same score", () => {
    const scores = [0.5, 0.3, 0.2];
    const logits = torch.tensor([[0, 0, 0], scores.map(Math.log)], { dtype: "float64" });
    const entropy = (Math.log(3) - scores.reduce((sum, p) => sum + p * Math.log(p), 0)) / 2;
    const { loss, terms } = confidencePenalty(logits, labels, { weight: 0.7 });
    expect(terms.entropy.item()).toBeCloseTo(entropy, 14);
    expect(terms.hard.item()).toBeCloseTo((Math.log(3) - Math.log(0.3)) / 2, 14);
    expect(loss.item()).toBeCloseTo(terms.hard.item() - 0.7 * entropy, 14);
  });

  it("has an entropy in [0, ln C], and is the cross-entropy at weight 0", () => {
    const row = fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(row, row, (a, b) => {
        const logits = torch.tensor([a, b], { dtype: "float64" });
        const { loss, terms } = confidencePenalty(logits, labels, { weight: 0 });
        expect(terms.entropy.item()).toBeGreaterThanOrEqual(0);
        expect(terms.entropy.item()).toBeLessThanOrEqual(Math.log(4) + 1e-14);
        expect(loss.item()).toBe(crossEntropy(logits, labels).item());
      }),
    );
  });

  it("stays NaN where the logits are", () => {
    const { terms } = confidencePenalty(
      torch.tensor([
        [Number.NaN, 0, 1],
        [0, 1, 2],
      ]),
      labels,
      { weight: 1 },
    );
    expect(terms.entropy.item()).toBeNaN();
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])("refuses the weight %d", (weight) => {
    expect(() => confidencePenalty(torch.zeros([2, 3]), labels, { weight })).toThrow(
      new RangeError(`weight must be finite and >= 0, got ${weight}`),
    );
  });
});
