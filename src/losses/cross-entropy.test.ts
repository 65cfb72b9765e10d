import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { crossEntropy } from "./cross-entropy.js";

const logits = torch.tensor([
  [0, Math.log(3)],
  [0, 0],
]);
const labels = torch.tensor([0, 1], { dtype: "int64" });

describe("crossEntropy", () => {
  it("is the mean of -ln p of the labels", () => {
    expect(crossEntropy(logits, labels).item()).toBeCloseTo((Math.log(4) + Math.log(2)) / 2, 6);
  });

  it("smooths towards all classes, the label's own included", () => {
    const smooth = crossEntropy(logits, labels, { labelSmoothing: 0.2 }).item();
    const first = 0.9 * Math.log(4) + 0.1 * Math.log(4 / 3);
    expect(smooth).toBeCloseTo((first + Math.log(2)) / 2, 6);
  });

  it("loses 1e4 nats, no more and no less, where the label is 1e4 below", () => {
    const far = torch.tensor([[1e4, 0]]);
    expect(crossEntropy(far, torch.tensor([1], { dtype: "int64" })).item()).toBe(1e4);
  });

  it.each([0, 0.1])(
    "is infinite, with a finite gradient, where the label is masked; smoothing %d",
    (labelSmoothing) => {
      const masked = torch.tensor([[Number.NEGATIVE_INFINITY, 0, 0]], { requiresGrad: true });
      const loss = crossEntropy(masked, torch.tensor([0], { dtype: "int64" }), { labelSmoothing });
      expect(loss.item()).toBe(Number.POSITIVE_INFINITY);
      // Scores minus targets.
      const rest = labelSmoothing / 3;
      const expected = [-(1 - labelSmoothing) - rest, 0.5 - rest, 0.5 - rest];
      const [gradient] = torch.grad(loss, [masked]);
      Array.from(gradient!.toTypedArray(), Number).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 6);
      });
    },
  );

  it("refuses what does not fit, naming the shapes", () => {
    expect(() => crossEntropy(torch.zeros([2]), labels)).toThrow(
      "logits must be [N, C] with N, C >= 1, got [2]",
    );
    expect(() => crossEntropy(torch.zeros([0, 3]), labels)).toThrow("got [0, 3]");
    expect(() => crossEntropy(torch.zeros([3, 2]), labels)).toThrow("beside logits [3, 2], got [2]");
    expect(() => crossEntropy(logits, logits)).toThrow(TypeError);
    expect(() => crossEntropy(logits, torch.zeros([2]))).toThrow("labels must be int64, got float32");
    for (const labelSmoothing of [-0.1, 1.1, Number.NaN]) {
      expect(() => crossEntropy(logits, labels, { labelSmoothing })).toThrow(RangeError);
    }
  });

  it.each([2, -1, -100])("refuses the label %d rather than leave its image out", (label) => {
    expect(() => crossEntropy(logits, torch.tensor([0, label], { dtype: "int64" }))).toThrow(/out of bounds/);
  });
});
