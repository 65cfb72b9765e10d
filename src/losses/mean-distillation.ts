import * as torch from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";
import { constant, divergenceFrom, logSoftmaxAt } from "./distillation.js";

/**
 * Distillation from several teachers: `T² · KL(mean of the teachers ‖ student)` between softmax(logits / T), the mean over
 * the batch. The mean is that of the teachers' scores, as of an ensemble (Hinton et al. 2015).
 *
 * The teachers are constants. A class that no teacher gives a score adds nothing. One teacher alone is `distillation`.
 *
 * @param student logits [N, C], any float dtype
 * @param teachers logits [N, C] each, at least one
 * @param options.temperature T > 0, default 1
 * @returns scalar >= 0, nats; Infinity where the student gives no score to a class that a teacher gives some
 * @throws TypeError when there is no teacher, or shapes differ or are not [N, C], RangeError when the temperature is out
 *   of range
 */
export function meanDistillation(
  student: torch.Tensor,
  teachers: readonly torch.Tensor[],
  { temperature = 1 }: { temperature?: number } = {},
): torch.Tensor {
  if (teachers.length === 0) throw new TypeError("meanDistillation needs at least one teacher");
  for (const teacher of teachers) checkPair(student, teacher);
  checkTemperature(temperature);
  const each = teachers.map((teacher) => logSoftmaxAt(constant(teacher), temperature));
  // The mean of scores, computed from their logarithms so that small ones stay exact.
  const target = each.length === 1 ? each[0]! : torch.stack(each).logsumexp(0).sub(Math.log(each.length));
  return divergenceFrom(logSoftmaxAt(student, temperature), target, temperature);
}
