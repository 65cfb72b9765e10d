/** What a generation learns from, one file a method. A new one is a file and a line in the list. */
import { distillation } from "./distillation.js";
import { strict } from "./strict.js";
import { topScoreDifference } from "./top-score-difference.js";

export {
  defineMethod,
  describeMethod,
  type Losses,
  type LossInput,
  type Method,
  teachersOf,
} from "./define.js";
export { distillation } from "./distillation.js";
export { strict } from "./strict.js";
export { topScoreDifference } from "./top-score-difference.js";

/** Every method that a recipe can name, in the order they are listed. */
export const methods = [strict, topScoreDifference, distillation] as const;
