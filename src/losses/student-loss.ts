import * as torch from "../torch/index.js";
import { checkLabels, checkPair, checkTemperature } from "./check.js";
import { IGNORE_NOTHING } from "./cross-entropy.js";
import { distillation, distillationFrom } from "./distillation.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * A student's loss: `hardWeight · CE(labels) + softWeight · T² KL(teacher ‖ student)` (Yang et al. 2019 with
 * T = 1, hardWeight = lambda and softWeight = 1 - lambda; here the weights need not sum to 1).
 *
 * The teacher is a constant: no gradient flows into it. Minus infinity as a logit masks a class: see `crossEntropy` and
 * `distillation`.
 *
 * @param logits the student's, [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param teacherLogits [N, C], for the very images that the student saw
 * @param options.hardWeight weight of the cross-entropy, finite and >= 0
 * @param options.softWeight weight of the distillation, finite and >= 0; not both weights may be 0
 * @param options.temperature T > 0 of the distillation, default 1
 * @returns the loss and its unweighted terms (`soft` holds T²), all scalars, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when an option is out of range,
 *   Error when a label is out of range
 */
export function studentLoss(
  logits: torch.Tensor,
  labels: torch.Tensor,
  teacherLogits: torch.Tensor,
  { hardWeight, softWeight, temperature = 1 }: StudentWeights,
): { loss: torch.Tensor; terms: { hard: torch.Tensor; soft: torch.Tensor } } {
  checkPair(logits, teacherLogits);
  checkLabels(labels, logits);
  checkWeights(hardWeight, softWeight);
  checkTemperature(temperature);
  const logProbabilities = logits.logSoftmax(1);
  const hard = torch.nllLoss(logProbabilities, labels, undefined, 1, IGNORE_NOTHING);
  const soft =
    temperature === 1
      ? distillationFrom(logProbabilities, teacherLogits, 1)
      : distillation(logits, teacherLogits, { temperature });
  return { loss: weightedSum([hard, hardWeight], [soft, softWeight]), terms: { hard, soft } };
}

export interface StudentWeights {
  hardWeight: number;
  softWeight: number;
  temperature?: number;
}

function checkWeights(hardWeight: number, softWeight: number): void {
  const sum = hardWeight + softWeight;
  if (!(hardWeight >= 0 && softWeight >= 0 && sum > 0 && sum < Number.POSITIVE_INFINITY)) {
    throw new RangeError(
      `hardWeight and softWeight must be finite and >= 0, not both 0; got ${hardWeight} and ${softWeight}`,
    );
  }
}
