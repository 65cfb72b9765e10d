/** What a trained network knows: plain functions over the logits of many images. */
export { agreement } from "./agreement.js";
export { expectedCalibrationError } from "./calibration.js";
export { ensembleLogits, ensembleProbabilities } from "./ensemble.js";
export { type Evaluation, evaluateLogits } from "./evaluate-logits.js";
export type { Logits, LogitsLike } from "./logits.js";
