import * as torch from "../torch/index.js";
import { checkLabels, checkLogits } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { entropyOf } from "./entropy.js";

/**
 * The confidence penalty: `CE(labels) - weight · H(p)`, H the entropy `-sum_c p_c ln p_c` of the scores
 * p = softmax(logits) (Pereyra et al. 2017, section 3; their β is the weight).
 *
 * Minus infinity as a logit masks a class, which then has no part in the entropy.
 *
 * @param logits [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param options.weight β, finite and >= 0
 * @returns the loss, at least -weight · ln C, and its unweighted terms, all scalars, nats, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when the weight is out of range,
 *   Error when a label is out of range
 */
export function confidencePenalty(
  logits: torch.Tensor,
  labels: torch.Tensor,
  { weight }: { weight: number },
): { loss: torch.Tensor; terms: { hard: torch.Tensor; entropy: torch.Tensor } } {
  checkLogits(logits);
  checkLabels(labels, logits);
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
    throw new RangeError(`weight must be finite and >= 0, got ${weight}`);
  const logProbabilities = logits.logSoftmax(1);
  const hard = torch.nllLoss(logProbabilities, labels, undefined, 1, IGNORE_NOTHING);
  const entropy = entropyOf(logProbabilities);
  return { loss: hard.add(entropy, { alpha: -weight }), terms: { hard, entropy } };
}
