/**
 * The methods that a generation can learn by, one file each. A new method is a new file and a line in the
 * list below.
 */
import { bornAgain } from "./born-again.js";
import { confidencePenalty } from "./confidence-penalty.js";
import { confidenceWeightedLabels } from "./confidence-weighted-labels.js";
import { correlationDistillation } from "./correlation-distillation.js";
import { decoupledDistillation } from "./decoupled-distillation.js";
import { distillation } from "./distillation.js";
import { earlyStopped } from "./early-stopped.js";
import { labelSmoothing } from "./label-smoothing.js";
import { logitStandardisation } from "./logit-standardisation.js";
import { meanOfTeachers } from "./mean-of-teachers.js";
import { mutualLearning } from "./mutual-learning.js";
import { permutedDistillation } from "./permuted-distillation.js";
import { pretrained } from "./pretrained.js";
import { psKd } from "./ps-kd.js";
import { snapshotDistillation } from "./snapshot-distillation.js";
import { softened } from "./softened.js";
import { strict } from "./strict.js";
import { topKDistillation } from "./top-k-distillation.js";
import { topScoreDifference } from "./top-score-difference.js";

export { bornAgain } from "./born-again.js";
export { confidencePenalty } from "./confidence-penalty.js";
export { confidenceWeightedLabels } from "./confidence-weighted-labels.js";
export { correlationDistillation } from "./correlation-distillation.js";
export { decoupledDistillation } from "./decoupled-distillation.js";
export {
  answerTemperature,
  defineMethod,
  describeMethod,
  type Losses,
  type LossInput,
  type Method,
  optionsAt,
  type Place,
  peersOf,
  teachersOf,
  trainedEpochs,
} from "./define.js";
export { distillation } from "./distillation.js";
export { earlyStopped } from "./early-stopped.js";
export { labelSmoothing } from "./label-smoothing.js";
export { logitStandardisation } from "./logit-standardisation.js";
export { meanOfTeachers } from "./mean-of-teachers.js";
export { mutualLearning } from "./mutual-learning.js";
export { permutedDistillation } from "./permuted-distillation.js";
export { pretrained } from "./pretrained.js";
export { psKd } from "./ps-kd.js";
export { snapshotDistillation } from "./snapshot-distillation.js";
export { softened } from "./softened.js";
export { strict } from "./strict.js";
export { topKDistillation } from "./top-k-distillation.js";
export { topScoreDifference } from "./top-score-difference.js";
export type { FirstWeights, NormalisationChoice } from "./weights-options.js";

/** Every method of the library, in the order in which messages and docs list them. */
export const methods = [
  // Patriarchs, and rivals without a teacher.
  strict,
  topScoreDifference,
  labelSmoothing,
  confidencePenalty,
  earlyStopped,
  softened,
  pretrained,
  psKd,
  snapshotDistillation,
  mutualLearning,
  // Students.
  distillation,
  bornAgain,
  meanOfTeachers,
  topKDistillation,
  decoupledDistillation,
  correlationDistillation,
  logitStandardisation,
  // Controls.
  permutedDistillation,
  confidenceWeightedLabels,
] as const;
