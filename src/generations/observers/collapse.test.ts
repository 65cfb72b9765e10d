import { describe, expect, it } from "vitest";
import type { EpochReport } from "../../training/index.js";
import { collapse } from "./collapse.js";

/** The sentences of a training with these accuracies. */
function told(accuracies: number[], classes = 10): string[] {
  const all: string[] = [];
  const observer = collapse(classes, (message) => void all.push(message));
  for (const [epoch, top1] of accuracies.entries())
    void observer.onEpoch!({ epoch, top1 } as EpochReport, {} as never);
  return all;
}

describe("collapse", () => {
  it("tells once of each fall to less than half of the best", () => {
    expect(told([0.3, 0.5, 0.24, 0.2, 0.4, 0.6, 0.1])).toEqual([
      expect.stringContaining("epoch 3: 24.0 % of the training images are right, after 50.0 % in epoch 2: "),
      expect.stringContaining("epoch 7: 10.0 % of the training images are right, after 60.0 % in epoch 6: "),
    ]);
  });

  it("says nothing of a training that goes up and down, or has learnt next to nothing", () => {
    expect(told([0.3, 0.5, 0.26, 0.55, 0.3])).toEqual([]);
    expect(told([0.29, 0.1], 10)).toEqual([]);
    expect(told([0.29, 0.1], 100)).toHaveLength(1);
  });
});
