/** Lyceum: image classifiers trained in generations, on libtorch. Everything public is named here. */
export * as analysis from "./analysis/index.js";
export * as data from "./data/index.js";
export { type DatasetDefinition, defineDataset } from "./data/index.js";
export * as distributed from "./distributed/index.js";
export {
  type Difference,
  type EvaluateRunOptions,
  evaluateRun,
  Interrupted,
  type ModelFactory,
  type OnProgress,
  type RunChanges,
  type RunEvaluation,
  type TrainGenerationsOptions,
  trainGenerations,
} from "./generations/index.js";
export * as interop from "./interop/index.js";
export { type Watcher, type WatchOptions, watch } from "./live/index.js";
export * as losses from "./losses/index.js";
export * as methods from "./methods/index.js";
export { defineMethod, type Method } from "./methods/index.js";
export * as models from "./models/index.js";
export { defineModel, type ModelDefinition } from "./models/index.js";
export * as nn from "./nn/index.js";
export * as optim from "./optim/index.js";
export { defineOptimizer, defineSchedule } from "./optim/index.js";
export {
  type ClassScore,
  ImageError,
  type ImageInput,
  LoadedModel,
  type LoadModelOptions,
  loadModel,
  type Prediction,
  type PredictionResult,
  type PredictOptions,
  type ToOnnxOptions,
  toOnnx,
} from "./predict/index.js";
export {
  type Definition,
  loadRecipe,
  type Recipe,
  RecipeError,
  type RecipeInput,
  resolveRecipe,
} from "./recipe/index.js";
export { writeReport, writeStudyReport } from "./report/index.js";
export {
  type EnsembleResult,
  type EpochRecord,
  type GenerationPaths,
  type GenerationResult,
  type ImportedFile,
  type Imports,
  type ProgressEvent,
  type Role,
  RunFolder,
  type RunResult,
  type RunStatus,
  readWeights,
  type Summary,
  type TestResult,
  type WeightsDescription,
  writeWeights,
} from "./runs/index.js";
export {
  openStudy,
  type PairedDifference,
  paired,
  type RunStudyOptions,
  runStudy,
  StudyError,
  type StudyResult,
  studySentences,
  studySummary,
} from "./study/index.js";
export * as torch from "./torch/index.js";
export * as training from "./training/index.js";
export {
  collectFeatures,
  type FeatureBatch,
  type FeatureOptions,
  type FeatureSet,
  featuresOf,
  readTransfer,
  type TransferOptions,
  type TransferProgress,
  type TransferResult,
  transferRun,
  type WriteFeaturesOptions,
  writeFeatures,
} from "./transfer/index.js";
