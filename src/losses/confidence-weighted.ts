import * as torch from "../torch/index.js";
import { checkLabels, checkPair } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { constant } from "./distillation.js";

/**
 * The cross-entropy with the labels, each image weighted by how sure the teacher is: the control CWTM, "confidence weighted
 * by teacher max" (Furlanello et al. 2018, section 3.2, equation 10).
 *
 * `mean over the batch of w / mean(w) · (-ln p_y)`, w the teacher's highest score of the image, whether or not it is that
 * of the label. The weights of a batch have the mean 1, so that the loss has the scale of a cross-entropy.
 *
 * @param logits the student's, [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param teacher logits [N, C], a constant
 * @returns scalar >= 0, nats
 * @throws TypeError when shapes or dtypes do not fit, Error when a label is out of range
 */
export function confidenceWeightedCrossEntropy(
  logits: torch.Tensor,
  labels: torch.Tensor,
  teacher: torch.Tensor,
): torch.Tensor {
  checkPair(logits, teacher);
  checkLabels(labels, logits);
  const confidence = constant(teacher).softmax(1).amax([1]);
  const each = torch.nllLoss(logits.logSoftmax(1), labels, undefined, 0, IGNORE_NOTHING);
  return each.mul(confidence.div(confidence.mean())).mean();
}
