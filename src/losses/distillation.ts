import type * as torch from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";

/**
 * Distillation: `T² · KL(teacher ‖ student)` between softmax(logits / T), the mean over the batch (Hinton et
 * al. 2015; Yang et al. 2019 use T = 1). T² keeps the gradient's size from falling with the temperature.
 *
 * The teacher is a constant: no gradient flows into it. A class that the teacher gives no score (a logit of minus
 * infinity) adds nothing, whatever the student gives it, because 0 · ln 0 is 0.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C]
 * @param options.temperature T > 0, default 1
 * @returns scalar >= 0, nats; 0 where the two agree, Infinity where the student gives no score to a class that the
 *   teacher gives some
 * @throws TypeError when shapes differ or are not [N, C], RangeError when the temperature is out of range
 */
export function distillation(
  student: torch.Tensor,
  teacher: torch.Tensor,
  { temperature = 1 }: { temperature?: number } = {},
): torch.Tensor {
  checkPair(student, teacher);
  checkTemperature(temperature);
  return distillationFrom(logSoftmaxAt(student, temperature), teacher, temperature);
}

/** The same from the student's log-probabilities at that temperature, for losses that have them at hand. */
export function distillationFrom(
  studentLogProbabilities: torch.Tensor,
  teacher: torch.Tensor,
  temperature: number,
): torch.Tensor {
  return divergenceFrom(studentLogProbabilities, logSoftmaxAt(constant(teacher), temperature), temperature);
}

/**
 * `T² · KL(target ‖ student)`, the mean over the batch, from the log-probabilities of both, [N, C].
 *
 * @param target a constant
 */
export function divergenceFrom(
  studentLogProbabilities: torch.Tensor,
  target: torch.Tensor,
  temperature: number,
): torch.Tensor {
  const score = target.exp();
  // Differences of classes without a teacher's score would be infinite, and 0 times infinity is NaN. The mask is two
  // small operators in every step: to look first whether there is such a class would wait for the device.
  const difference = target.sub(studentLogProbabilities).maskedFill(score.eq(0), 0);
  return score
    .mul(difference)
    .sum()
    .mul(temperature ** 2 / target.shape[0]!);
}

/** Gives a teacher's logits as a constant, into which no gradient flows. */
export function constant(teacher: torch.Tensor): torch.Tensor {
  return teacher.requiresGrad ? teacher.detach() : teacher;
}

/** The log-probabilities at a temperature, `ln softmax(logits / T)`, along the second dimension. */
export function logSoftmaxAt(logits: torch.Tensor, temperature: number): torch.Tensor {
  return (temperature === 1 ? logits : logits.div(temperature)).logSoftmax(1);
}
