/** Transfer: the features of trained networks, and how well classifiers do on them. */
export { type ClassifierName, classifiers, neighbours } from "./classifiers/index.js";
export { collectFeatures, type FeatureSet } from "./feature-set.js";
export { type FeatureBatch, type FeatureOptions, featuresOf, type Spatial } from "./features-of.js";
export { type TransferMetric, transferMetrics } from "./metrics.js";
export { type Scaling, scalings } from "./scaling.js";
export { pairedSpread, type Spread, spreadOf } from "./spread.js";
export type { DataInput } from "./transfer-data.js";
export {
  readTransfer,
  type TransferEntry,
  type TransferResult,
  transferNames,
} from "./transfer-file.js";
export { summaryOf, type TransferOptions, type TransferProgress, transferRun } from "./transfer-run.js";
export { type WriteFeaturesOptions, writeFeatures } from "./write-features.js";
