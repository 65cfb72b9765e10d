import type { Tensor } from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";
import { constant, divergenceFrom, logSoftmaxAt } from "./distillation.js";

/**
 * Distillation from partial labels: the teacher's k best scores, scaled so that they sum to 1, are the target, and all other
 * classes have the target 0. `T² · sum over the k best of q_i (ln q_i - ln s_i)`, the mean over the batch, with
 * `q_i = t_i / (t_(1) + … + t_(k))`, t = softmax(teacher / T), and s = softmax(student / T) over all classes (the "marginal
 * re-norm" of Shen & Xing 2022; the top-K distillation of Tan et al. 2019).
 *
 * The teacher is a constant. With k = C it is `distillation`; with k = 1, the cross-entropy with the teacher's best class.
 * Which of equal scores at rank k belong to the best is libtorch's choice.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C]
 * @param options.k classes that the teacher tells of; 1 <= k <= C
 * @param options.temperature T > 0, default 1
 * @returns scalar >= 0, nats
 * @throws TypeError when shapes differ or are not [N, C], RangeError when k or the temperature is out of range
 */
export function topKDistillation(
  student: Tensor,
  teacher: Tensor,
  { k, temperature = 1 }: { k: number; temperature?: number },
): Tensor {
  checkPair(student, teacher);
  checkTemperature(temperature);
  const classes = student.shape[1]!;
  if (!(Number.isInteger(k) && k >= 1 && k <= classes))
    throw new RangeError(`k must be a whole number from 1 to the ${classes} classes, got ${k}`);
  const [best, indices] = constant(teacher).topk(k, 1);
  // The softmax of the k best logits is the k best scores, scaled to sum to 1.
  const target = logSoftmaxAt(best, temperature);
  return divergenceFrom(logSoftmaxAt(student, temperature).gather(1, indices), target, temperature);
}
