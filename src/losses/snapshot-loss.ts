import type * as torch from "../torch/index.js";
import { checkTemperature } from "./check.js";
import { crossEntropy } from "./cross-entropy.js";
import { distillation } from "./distillation.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * The labels and a teacher, with a temperature for each side:
 * `hardWeight · CE(labels) + softWeight · S² · KL(softmax(teacher / T) ‖ softmax(logits / S))`, the mean over the batch
 * (Yang et al. 2019, snapshot distillation, where the teacher alone is softened: S = 1, T > 1). S² keeps the gradient's
 * size from falling with the student's temperature; with S = T it is `studentLoss`.
 *
 * The teacher is a constant: no gradient flows into it. For masked classes see `crossEntropy` and `distillation`.
 *
 * @param logits the student's, [N, C], any float dtype
 * @param labels [N] int64, each in 0..C-1
 * @param teacherLogits [N, C], for the very images that the student saw
 * @param options.teacherTemperature T > 0
 * @param options.studentTemperature S > 0
 * @returns the loss and its unweighted terms (`soft` holds S²), all scalars, means over the batch
 * @throws TypeError when shapes or dtypes do not fit, RangeError when a temperature is out of range, Error when a label is
 *   out of range
 */
export function snapshotLoss(
  logits: torch.Tensor,
  labels: torch.Tensor,
  teacherLogits: torch.Tensor,
  { hardWeight, softWeight, teacherTemperature, studentTemperature }: SnapshotWeights,
): { loss: torch.Tensor; terms: { hard: torch.Tensor; soft: torch.Tensor } } {
  checkTemperature(teacherTemperature);
  checkTemperature(studentTemperature);
  const hard = crossEntropy(logits, labels);
  const divergence = distillation(logits.div(studentTemperature), teacherLogits.div(teacherTemperature));
  const soft = divergence.mul(studentTemperature ** 2);
  return { loss: weightedSum([hard, hardWeight], [soft, softWeight]), terms: { hard, soft } };
}

export interface SnapshotWeights {
  hardWeight: number;
  softWeight: number;
  teacherTemperature: number;
  studentTemperature: number;
}
