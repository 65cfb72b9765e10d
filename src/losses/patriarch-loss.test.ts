import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { crossEntropy } from "./cross-entropy.js";
import { patriarchLoss } from "./patriarch-loss.js";
import { topScoreDifference } from "./top-score-difference.js";

const generator = new torch.Generator(3);
const logits = torch.randn([6, 5], { dtype: "float64", generator });
const labels = torch.tensor([0, 1, 2, 3, 4, 0], { dtype: "int64" });

describe("patriarchLoss", () => {
  it("weighs the two terms, and returns them unweighted", () => {
    const { loss, terms } = patriarchLoss(logits, labels, { hardWeight: 0.3, k: 4 });
    expect(terms.hard.item()).toBeCloseTo(crossEntropy(logits, labels).item(), 14);
    expect(terms.topScoreDifference.item()).toBeCloseTo(topScoreDifference(logits, { k: 4 }).item(), 14);
    expect(loss.item()).toBeCloseTo(0.3 * terms.hard.item() + 0.7 * terms.topScoreDifference.item(), 14);
  });

  it("is strict cross-entropy at hardWeight 1", () => {
    const { loss } = patriarchLoss(logits, labels, { hardWeight: 1, k: 2 });
    expect(loss.item()).toBeCloseTo(crossEntropy(logits, labels).item(), 14);
  });

  it("refuses options and shapes out of range", () => {
    for (const hardWeight of [-0.01, 1.01, Number.NaN]) {
      expect(() => patriarchLoss(logits, labels, { hardWeight, k: 2 })).toThrow(
        new RangeError(`hardWeight must be in [0, 1], got ${hardWeight}`),
      );
    }
    expect(() => patriarchLoss(logits, labels, { hardWeight: 0.5, k: 6 })).toThrow(RangeError);
    const wrong = torch.tensor([0, 1], { dtype: "int64" });
    expect(() => patriarchLoss(logits, wrong, { hardWeight: 0.5, k: 2 })).toThrow("logits [6, 5], got [2]");
    const ignored = torch.tensor([0, 1, 2, 3, 4, -100], { dtype: "int64" });
    expect(() => patriarchLoss(logits, ignored, { hardWeight: 0.5, k: 2 })).toThrow(/out of bounds/);
  });
});
