import * as torch from "../torch/index.js";
import { checkFraction, checkK, checkLabels, checkLogits } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { topScoreDifferenceOf } from "./top-score-difference.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * The tolerant patriarch's loss: `hardWeight · CE + (1 - hardWeight) · TSD` (Yang et al. 2019; their eta is
 * hardWeight). The weight softens the output only within `usefulRange(k)`; hardWeight 1 is a strict patriarch.
 *
 * @param logits [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param options.hardWeight weight of the cross-entropy, in [0, 1]; see `toleranceToHardWeight`
 * @param options.k classes that count in the top score difference; 2 <= k <= C
 * @returns the loss and its unweighted terms, all scalars, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when an option is out of range,
 *   Error when a label is out of range
 */
export function patriarchLoss(
  logits: torch.Tensor,
  labels: torch.Tensor,
  { hardWeight, k }: { hardWeight: number; k: number },
): { loss: torch.Tensor; terms: { hard: torch.Tensor; topScoreDifference: torch.Tensor } } {
  checkLogits(logits);
  checkLabels(labels, logits);
  checkK(k, logits.shape[1]!);
  checkFraction(hardWeight, "hardWeight");
  const logProbabilities = logits.logSoftmax(1);
  const hard = torch.nllLoss(logProbabilities, labels, undefined, 1, IGNORE_NOTHING);
  const topScoreDifference = topScoreDifferenceOf(logProbabilities, k);
  const loss = weightedSum([hard, hardWeight], [topScoreDifference, 1 - hardWeight]);
  return { loss, terms: { hard, topScoreDifference } };
}
