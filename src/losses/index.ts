/** Losses of the method: pure, differentiable functions of logits [N, C] that return scalars. */

export { confidencePenalty } from "./confidence-penalty.js";
export { crossEntropy } from "./cross-entropy.js";
export { distillation } from "./distillation.js";
export { labelSmoothing } from "./label-smoothing.js";
export { pastLoss } from "./past-loss.js";
export { patriarchLoss } from "./patriarch-loss.js";
export { type SnapshotWeights, snapshotLoss } from "./snapshot-loss.js";
export { type StudentWeights, studentLoss } from "./student-loss.js";
export {
  type Tolerance,
  toleranceToHardWeight,
  toleranceToPrimaryScore,
  type UsefulRange,
  usefulRange,
} from "./tolerance.js";
export { topScoreDifference } from "./top-score-difference.js";
