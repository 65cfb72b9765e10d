import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { topScoreDifference } from "./top-score-difference.js";

describe("topScoreDifference", () => {
  it("takes the mean of ranks 2…k from the top score, image by image", () => {
    const scores = torch.tensor([
      [0.1, 0.5, 0.25, 0.15],
      [0.4, 0.2, 0.1, 0.3],
    ]);
    expect(topScoreDifference(scores.log(), { k: 2 }).item()).toBeCloseTo((0.25 + 0.1) / 2, 6);
    expect(topScoreDifference(scores.log(), { k: 3 }).item()).toBeCloseTo((0.3 + 0.15) / 2, 6);
  });

  it("is (k p1 - 1) / (k - 1) where the top k hold all the score, however the rest is shared", () => {
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 8 }),
        share,
        fc.nat(5),
        (shares, excess, spare) => {
          const total = shares.reduce((sum, v) => sum + v, 0);
          const top = Math.max(...shares) / total + excess;
          const p = [top, ...shares.map((v) => v / total), ...Array(spare).fill(0)].map((v) => v / (top + 1));
          const k = shares.length + 1;
          const logits = torch.tensor([p.map((v) => Math.max(Math.log(v), -1e30))], { dtype: "float64" });
          expect(topScoreDifference(logits, { k }).item()).toBeCloseTo((k * p[0]! - 1) / (k - 1), 12);
        },
      ),
    );
  });

  it("stays in [0, 1]", () => {
    const row = fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(row, fc.integer({ min: 2, max: 6 }), (logits, k) => {
        const value = topScoreDifference(torch.tensor([logits], { dtype: "float64" }), { k }).item();
        expect(value).toBeGreaterThanOrEqual(-1e-15);
        expect(value).toBeLessThanOrEqual(1);
      }),
    );
    expect(topScoreDifference(torch.zeros([3, 8]), { k: 8 }).item()).toBe(0);
    expect(topScoreDifference(torch.tensor([[1e4, 0, -1e4]]), { k: 3 }).item()).toBe(1);
  });

  it("pushes the top score down and ranks 2…k up, and leaves the label out of it", () => {
    const logits = torch.tensor([[2, 1, 0, -1]], { requiresGrad: true });
    const [gradient] = torch.grad(topScoreDifference(logits, { k: 3 }), [logits]);
    const [first, second, third] = Array.from(gradient!.toTypedArray(), Number);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeLessThan(0);
    expect(third).toBeLessThan(0);
  });

  it.each([1, 4, 0, -2, 2.5, Number.NaN])("refuses k = %d for 3 classes", (k) => {
    expect(() => topScoreDifference(torch.zeros([2, 3]), { k })).toThrow(
      new RangeError(`k must be a whole number from 2 to the 3 classes, got ${k}`),
    );
  });
});
