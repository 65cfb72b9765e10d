/** Losses of the method: pure, differentiable functions of logits [N, C] that return scalars. */

export { confidencePenalty } from "./confidence-penalty.js";
export { confidenceWeightedCrossEntropy } from "./confidence-weighted.js";
export { correlationDistillation } from "./correlation-distillation.js";
export { crossEntropy } from "./cross-entropy.js";
export { decoupledDistillation } from "./decoupled-distillation.js";
export { distillation } from "./distillation.js";
export { labelSmoothing } from "./label-smoothing.js";
export { meanDistillation } from "./mean-distillation.js";
export { pastLoss } from "./past-loss.js";
export { patriarchLoss } from "./patriarch-loss.js";
export { drawOrder, permutedDistillation } from "./permuted-distillation.js";
export { type SnapshotWeights, snapshotLoss } from "./snapshot-loss.js";
export { standardisedDistillation } from "./standardised-distillation.js";
export { type StudentWeights, studentLoss } from "./student-loss.js";
export {
  type Tolerance,
  toleranceToHardWeight,
  toleranceToPrimaryScore,
  type UsefulRange,
  usefulRange,
} from "./tolerance.js";
export { topKDistillation } from "./top-k-distillation.js";
export { topScoreDifference } from "./top-score-difference.js";
export { weightedSum } from "./weighted-sum.js";
