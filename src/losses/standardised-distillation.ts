import type * as torch from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";
import { normAlong } from "./correlation-distillation.js";
import { constant, divergenceFrom, logSoftmaxAt } from "./distillation.js";

/**
 * Distillation of standardised logits (Sun et al. 2024): `T² · KL(teacher ‖ student)` of
 * softmax(Z(logits) / T), the mean over the batch. Z subtracts the mean of an image's logits and divides by their standard
 * deviation (over C - 1) plus 1e-7, as the authors' code does.
 *
 * The student has to match the teacher's logits up to their scale and shift only. The teacher is a constant. A masked class
 * (a logit of minus infinity) stays masked, and counts neither in the mean nor in the deviation.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C]
 * @param options.temperature T > 0, the base temperature, default 1
 * @returns scalar >= 0, nats; 0 where one's logits are an affine function of the other's, with a positive factor
 * @throws TypeError when shapes differ or are not [N, C], RangeError when the temperature is out of range
 */
export function standardisedDistillation(
  student: torch.Tensor,
  teacher: torch.Tensor,
  { temperature = 1 }: { temperature?: number } = {},
): torch.Tensor {
  checkPair(student, teacher);
  checkTemperature(temperature);
  const target = logSoftmaxAt(standardise(constant(teacher)), temperature);
  return divergenceFrom(logSoftmaxAt(standardise(student), temperature), target, temperature);
}

/** Standardises each row's logits [N, C] by the mean and the deviation of those that are not minus infinity. */
function standardise(logits: torch.Tensor): torch.Tensor {
  const masked = logits.eq(Number.NEGATIVE_INFINITY);
  const count = masked.logicalNot().sum([1], true).to({ dtype: logits.dtype });
  const mean = logits.maskedFill(masked, 0).sum([1], true).div(count);
  const centred = logits.sub(mean).maskedFill(masked, 0);
  const deviation = normAlong(centred, 1).unsqueeze(1).div(count.sub(1).clampMin(1).sqrt());
  return centred.div(deviation.add(1e-7)).maskedFill(masked, Number.NEGATIVE_INFINITY);
}
