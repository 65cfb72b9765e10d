import type { Tensor } from "../torch/index.js";
import { checkK, checkLogits } from "./check.js";

/**
 * Top score difference (TSD): how far the best class stands above the next k - 1 (Yang et al. 2019).
 *
 * `p_(1) - mean(p_(2) … p_(k))`, p = softmax(logits) sorted anew for each image; p_(1) is the top score,
 * whether or not it is the label's. Minimised, it lets k - 1 secondary classes keep some score.
 *
 * A class that is masked (a logit of minus infinity) has the score 0; it counts where fewer than k classes are left.
 *
 * @param logits [N, C], any float dtype
 * @param options.k classes that count, the best one included; 2 <= k <= C
 * @returns scalar in [0, 1], the mean over the batch
 * @throws TypeError when logits are not [N, C], RangeError when k is out of range
 */
export function topScoreDifference(logits: Tensor, { k }: { k: number }): Tensor {
  checkLogits(logits);
  checkK(k, logits.shape[1]!);
  return topScoreDifferenceOf(logits.logSoftmax(1), k);
}

/**
 * The same from log-probabilities [N, C], for losses that have them at hand. The k best are picked before
 * exp, so only k of the C classes pass through it.
 */
export function topScoreDifferenceOf(logProbabilities: Tensor, k: number): Tensor {
  const scores = logProbabilities.topk(k, 1)[0].exp();
  const top = scores.select(1, 0).mean();
  return top.sub(scores.narrow(1, 1, k - 1).mean());
}
