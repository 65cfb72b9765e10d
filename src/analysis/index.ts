/** The evaluation of networks: metrics, as plain functions of the logits of many images. */
export { agreement, pairwiseDisagreement } from "./agreement.js";
export {
  adaptiveCalibrationError,
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityBins,
} from "./calibration.js";
export { type ClassAccuracy, classAccuracies } from "./class-accuracies.js";
export { type ConfusionPair, confusionPairs } from "./confusion-pairs.js";
export {
  defineMetric,
  type Metric,
  type MetricExtras,
  type MetricInput,
  type MetricNeed,
  type MetricTable,
  type MetricValues,
  meanOverImages,
} from "./define.js";
export { type ImageDifference, jensenShannon, mostDifferentImages } from "./divergence.js";
export {
  checkEnsembleOptions,
  type EnsembleOptions,
  ensembleLogits,
  ensembleProbabilities,
} from "./ensemble.js";
export { type EvaluateEnsembleOptions, evaluateEnsemble } from "./evaluate-ensemble.js";
export {
  defaultK,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationExtras,
  evaluateLogits,
} from "./evaluate-logits.js";
export type { Logits, LogitsLike } from "./logits.js";
export { withMetricTable } from "./metric-table.js";
export { metrics } from "./metrics.js";
export { numbersOf } from "./numbers-of.js";
export { Predictions } from "./predictions.js";
export { rankCorrelation } from "./rank-correlation.js";
export { largestDifference, slackWithin } from "./slack.js";
