import * as torch from "../torch/index.js";
import { checkFraction, checkLabels, checkPair } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * The cross-entropy with targets that are partly the labels, partly the scores of an earlier state of the network:
 * `(1 - pastWeight) · CE(labels) + pastWeight · CE(past)`, where CE(past) is -sum(q ln p), p = softmax(logits),
 * q = softmax(past), the mean over the batch (Kim et al. 2021, PS-KD, equation 5).
 *
 * The past is a constant: no gradient flows into it. A class that it gives no score (a logit of minus infinity) adds
 * nothing; for masked classes of the network see `crossEntropy`.
 *
 * @param logits the network's, [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param past logits [N, C] of the earlier state, for the very images that the network saw
 * @param options.pastWeight the share of the past in the targets, in [0, 1]
 * @returns the loss and its unweighted terms, all scalars, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when pastWeight is out of range, Error when a label is out
 *   of range
 */
export function pastLoss(
  logits: torch.Tensor,
  labels: torch.Tensor,
  past: torch.Tensor,
  { pastWeight }: { pastWeight: number },
): { loss: torch.Tensor; terms: { hard: torch.Tensor; past: torch.Tensor } } {
  checkPair(logits, past);
  checkLabels(labels, logits);
  checkFraction(pastWeight, "pastWeight");
  const logProbabilities = logits.logSoftmax(1);
  const hard = torch.nllLoss(logProbabilities, labels, undefined, 1, IGNORE_NOTHING);
  const scores = past.detach().softmax(1);
  // The logarithm of a masked class is infinite, and 0 times infinity is NaN.
  const soft = scores
    .mul(logProbabilities.maskedFill(scores.eq(0), 0))
    .sum()
    .div(-logits.shape[0]!);
  return { loss: weightedSum([hard, 1 - pastWeight], [soft, pastWeight]), terms: { hard, past: soft } };
}
