import * as torch from "../torch/index.js";
import { checkLabels, checkPair, checkTemperature } from "./check.js";
import { constant, divergenceFrom } from "./distillation.js";

/**
 * The two terms of decoupled distillation (Zhao et al. 2022), which are weighted apart; means over the batch, each times
 * T².
 *
 * - TCKD is `KL(b_teacher ‖ b_student)`, b the two scores of the label's class and of all others together.
 * - NCKD is `KL(n_teacher ‖ n_student)`, n the softmax of the logits without the label's.
 *
 * The divergence of plain distillation is `TCKD + (1 - b) · NCKD` of each image, b the teacher's score of the label's class.
 * Because the labels choose the split, the terms are not affine in the distribution of the labels, as a cross-entropy is.
 *
 * The teacher is a constant. A class that the teacher gives no score adds nothing; an image for which one of the two
 * gives a score to no class but the label's has an NCKD of 0.
 *
 * @param student logits [N, C], any float dtype; C >= 2
 * @param teacher logits [N, C]
 * @param labels [N] int64, each in 0..C-1
 * @param options.temperature T > 0, default 1
 * @returns the two unweighted terms, which hold T², scalars >= 0, nats
 * @throws TypeError when shapes or dtypes do not fit, or there is one class, RangeError when the temperature is out of
 *   range, Error when a label is out of range
 */
export function decoupledDistillation(
  student: torch.Tensor,
  teacher: torch.Tensor,
  labels: torch.Tensor,
  { temperature = 1 }: { temperature?: number } = {},
): { target: torch.Tensor; nonTarget: torch.Tensor } {
  checkPair(student, teacher);
  checkLabels(labels, student);
  checkTemperature(temperature);
  if (student.shape[1] === 1) throw new TypeError("decoupled distillation needs two classes or more");
  const ours = split(student, labels, temperature);
  const theirs = split(constant(teacher), labels, temperature);
  // Where only the label's class has a score, there is no distribution over the others.
  const target = theirs.others.maskedFill(theirs.alone.logicalOr(ours.alone), Number.NEGATIVE_INFINITY);
  return {
    target: divergenceFrom(ours.binary, theirs.binary, temperature),
    nonTarget: divergenceFrom(ours.others, target, temperature),
  };
}

/**
 * Splits scores into those of the label's class against all others, and those of the others among themselves.
 *
 * @returns log-probabilities `binary` [N, 2] and `others` [N, C], in which the label's class has minus infinity; `alone`
 *   [N, 1] tells where no other class has a score, and `others` means nothing
 */
function split(logits: torch.Tensor, labels: torch.Tensor, temperature: number) {
  const index = labels.unsqueeze(1);
  const scaled = temperature === 1 ? logits : logits.div(temperature);
  const isLabel = torch.zerosLike(logits, { dtype: "bool" }).scatter(1, index, 1);
  const masked = scaled.maskedFill(isLabel, Number.NEGATIVE_INFINITY);
  const alone = masked.amax([1], true).eq(Number.NEGATIVE_INFINITY);
  // The gradient of a softmax of nothing but minus infinity would be NaN.
  const others = masked.maskedFill(alone, 0);
  const total = others.logsumexp(1, true).maskedFill(alone, Number.NEGATIVE_INFINITY);
  const binary = torch.cat([scaled.gather(1, index), total], 1).logSoftmax(1);
  return { binary, others: others.logSoftmax(1), alone };
}
