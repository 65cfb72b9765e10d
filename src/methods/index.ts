/**
 * The methods that a generation can learn by, one file each. A new method is a new file and a line in the
 * list below.
 */
import { confidencePenalty } from "./confidence-penalty.js";
import { distillation } from "./distillation.js";
import { labelSmoothing } from "./label-smoothing.js";
import { strict } from "./strict.js";
import { topScoreDifference } from "./top-score-difference.js";

export { confidencePenalty } from "./confidence-penalty.js";
export {
  defineMethod,
  describeMethod,
  type Losses,
  type LossInput,
  type Method,
  teachersOf,
} from "./define.js";
export { distillation } from "./distillation.js";
export { labelSmoothing } from "./label-smoothing.js";
export { strict } from "./strict.js";
export { topScoreDifference } from "./top-score-difference.js";

/** Every method of the library, in the order in which messages and docs list them. */
export const methods = [strict, topScoreDifference, labelSmoothing, confidencePenalty, distillation] as const;
