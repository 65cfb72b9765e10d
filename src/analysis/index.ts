/** The evaluation of networks: metrics, as plain functions of the logits of many images. */
export { agreement } from "./agreement.js";
export { expectedCalibrationError } from "./calibration.js";
export {
  defineMetric,
  type Metric,
  type MetricInput,
  type MetricTable,
  type MetricValues,
  meanOverImages,
  type TeacherMetricInput,
} from "./define.js";
export { ensembleLogits, ensembleProbabilities } from "./ensemble.js";
export { defaultK, type EvaluateOptions, type Evaluation, evaluateLogits } from "./evaluate-logits.js";
export type { Logits, LogitsLike } from "./logits.js";
export { withMetricTable } from "./metric-table.js";
export { metrics } from "./metrics.js";
export { numbersOf } from "./numbers-of.js";
export { Predictions } from "./predictions.js";
export { largestDifference, slackWithin } from "./slack.js";
