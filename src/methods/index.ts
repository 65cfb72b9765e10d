/**
 * The methods that a generation can learn by, one file each. A new method is a new file and a line in the
 * list below.
 */
import { confidencePenalty } from "./confidence-penalty.js";
import { distillation } from "./distillation.js";
import { earlyStopped } from "./early-stopped.js";
import { labelSmoothing } from "./label-smoothing.js";
import { mutualLearning } from "./mutual-learning.js";
import { pretrained } from "./pretrained.js";
import { psKd } from "./ps-kd.js";
import { snapshotDistillation } from "./snapshot-distillation.js";
import { softened } from "./softened.js";
import { strict } from "./strict.js";
import { topScoreDifference } from "./top-score-difference.js";

export { confidencePenalty } from "./confidence-penalty.js";
export {
  answerTemperature,
  defineMethod,
  describeMethod,
  type Losses,
  type LossInput,
  type Method,
  peersOf,
  teachersOf,
  trainedEpochs,
} from "./define.js";
export { distillation } from "./distillation.js";
export { earlyStopped } from "./early-stopped.js";
export { labelSmoothing } from "./label-smoothing.js";
export { mutualLearning } from "./mutual-learning.js";
export { pretrained } from "./pretrained.js";
export { psKd } from "./ps-kd.js";
export { snapshotDistillation } from "./snapshot-distillation.js";
export { softened } from "./softened.js";
export { strict } from "./strict.js";
export { topScoreDifference } from "./top-score-difference.js";

/** Every method of the library, in the order in which messages and docs list them. */
export const methods = [
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
  distillation,
] as const;
