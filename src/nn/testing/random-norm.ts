import * as torch from "../../torch/index.js";
import { BatchNorm2d } from "../index.js";

/**
 * Batch norm far from the identity that it begins as: a test with a fresh one would not see where a weight or a statistic
 * is left out. Weights are drawn from `low` to `high`.
 */
export function randomNorm(
  channels: number,
  generator: torch.Generator,
  [low, high]: [number, number] = [0.5, 1.5],
): BatchNorm2d {
  const made = new BatchNorm2d(channels);
  torch.noGrad(() => {
    made.weight.uniform_(low, high, { generator });
    made.bias.uniform_(-1, 1, { generator });
    made.runningMean.uniform_(-1, 1, { generator });
    made.runningVar.uniform_(0.5, 2, { generator });
  });
  return made;
}
