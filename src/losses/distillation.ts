import * as torch from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";

/**
 * Distillation: `T² · KL(teacher ‖ student)` between softmax(logits / T), the mean over the batch (Hinton et
 * al. 2015; Yang et al. 2019 use T = 1). T² keeps the gradient's size from falling with the temperature.
 *
 * The teacher is a constant: no gradient flows into it.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C]
 * @param options.temperature T > 0, default 1
 * @returns scalar >= 0, nats; 0 where the two agree
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
  const target = logSoftmaxAt(teacher.requiresGrad ? teacher.detach() : teacher, temperature);
  // Summed and then divided by N: the operator's own mean would also divide by C.
  const sum = torch.klDiv(studentLogProbabilities, target, 2, { logTarget: true });
  return sum.mul(temperature ** 2 / teacher.shape[0]!);
}

function logSoftmaxAt(logits: torch.Tensor, temperature: number): torch.Tensor {
  return (temperature === 1 ? logits : logits.div(temperature)).logSoftmax(1);
}
