import * as torch from "../torch/index.js";
import { checkLabels, checkLogits } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * Label smoothing: `(1 - ε) · CE(labels) + ε · CE(uniform)`, which is the cross-entropy with the targets
 * `(1 - ε) onehot(y) + ε / C` (Szegedy et al. 2016, section 7). `CE(uniform)` is `-mean_c ln p_c`.
 *
 * It is `crossEntropy` with `labelSmoothing`, as a method's loss with its two terms. Minus infinity as a logit masks a
 * class, to which smoothing gives a target all the same: the loss is then Infinity, and its gradient finite.
 *
 * @param logits [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param options.epsilon ε in [0, 1)
 * @returns the loss and its unweighted terms, all scalars >= 0, nats, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when epsilon is out of range,
 *   Error when a label is out of range
 */
export function labelSmoothing(
  logits: torch.Tensor,
  labels: torch.Tensor,
  { epsilon }: { epsilon: number },
): { loss: torch.Tensor; terms: { hard: torch.Tensor; smooth: torch.Tensor } } {
  checkLogits(logits);
  checkLabels(labels, logits);
  if (!(epsilon >= 0 && epsilon < 1)) throw new RangeError(`epsilon must be in [0, 1), got ${epsilon}`);
  const logProbabilities = logits.logSoftmax(1);
  const hard = torch.nllLoss(logProbabilities, labels, undefined, 1, IGNORE_NOTHING);
  const smooth = logProbabilities.mean().neg();
  return { loss: weightedSum([hard, 1 - epsilon], [smooth, epsilon]), terms: { hard, smooth } };
}
