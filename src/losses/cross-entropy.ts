import * as torch from "../torch/index.js";
import { checkFraction, checkLabels, checkLogits } from "./check.js";

/** An `ignore_index` that no label can equal, so that a wrong label is an error and never a row silently left out. */
export const IGNORE_NOTHING = Number.MIN_SAFE_INTEGER;

/**
 * Cross-entropy with the labels, the strict loss: `-ln p_y`, p = softmax(logits), the mean over the batch.
 *
 * With `labelSmoothing` ε the target is `(1 - ε) onehot(y) + ε / C` (Szegedy et al. 2016, section 7; scaled
 * as PyTorch does).
 *
 * Minus infinity as a logit masks a class: it gets no score and no gradient, and the loss is that of the other logits
 * alone. A label that is masked itself loses Infinity; so does every label under smoothing, whose target gives each class
 * some score. The gradient (scores minus targets) is finite then too.
 *
 * @param logits [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param options.labelSmoothing ε in [0, 1], default 0
 * @returns scalar >= 0, nats
 * @throws TypeError when shapes or dtypes do not fit, RangeError when labelSmoothing is out of range,
 *   Error when a label is out of range
 */
export function crossEntropy(
  logits: torch.Tensor,
  labels: torch.Tensor,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): torch.Tensor {
  checkLogits(logits);
  checkLabels(labels, logits);
  checkFraction(labelSmoothing, "labelSmoothing");
  return torch.crossEntropyLoss(logits, labels, undefined, 1, IGNORE_NOTHING, labelSmoothing);
}
