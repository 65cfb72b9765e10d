import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { crossEntropy } from "./cross-entropy.js";
import { labelSmoothing } from "./label-smoothing.js";

const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 5, maxLength: 5 });

describe("labelSmoothing", () => {
  it("is the cross-entropy that PyTorch smooths by the same ε, and the plain one at 0", () => {
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.nat(4),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (rows, label, epsilon) => {
          const logits = torch.tensor(rows, { dtype: "float64" });
          const labels = torch.tensor(
            rows.map(() => label),
            { dtype: "int64" },
          );
          const { loss, terms } = labelSmoothing(logits, labels, { epsilon });
          expect(loss.item()).toBeCloseTo(
            crossEntropy(logits, labels, { labelSmoothing: epsilon }).item(),
            11,
          );
          expect(terms.hard.item()).toBe(labelSmoothing(logits, labels, { epsilon: 0 }).loss.item());
          expect(terms.hard.item()).toBeCloseTo(crossEntropy(logits, labels).item(), 12);
        },
      ),
    );
  });

  it("is least where the scores are the smoothed targets", () => {
    const targets = [0.2 / 4 + 0.8, 0.05, 0.05, 0.05];
    const logits = torch.tensor([targets.map(Math.log)], { dtype: "float64", requiresGrad: true });
    const labels = torch.tensor([0], { dtype: "int64" });
    const [gradient] = torch.grad(labelSmoothing(logits, labels, { epsilon: 0.2 }).loss, [logits]);
    expect(gradient!.abs().amax([0, 1]).item()).toBeLessThan(1e-15);
  });

  it("leaves the uniform targets out at ε 0, where a class is masked", () => {
    const logits = torch.tensor([[0, Number.NEGATIVE_INFINITY, 0]]);
    const labels = torch.tensor([0], { dtype: "int64" });
    const { loss, terms } = labelSmoothing(logits, labels, { epsilon: 0 });
    expect(terms.smooth.item()).toBe(Number.POSITIVE_INFINITY);
    expect(loss.item()).toBeCloseTo(Math.log(2), 6);
  });

  it.each([-0.1, 1, Number.NaN])("refuses ε = %d", (epsilon) => {
    const labels = torch.tensor([0], { dtype: "int64" });
    expect(() => labelSmoothing(torch.zeros([1, 2]), labels, { epsilon })).toThrow(
      new RangeError(`epsilon must be in [0, 1), got ${epsilon}`),
    );
  });
});
