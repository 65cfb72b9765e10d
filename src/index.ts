/** Lyceum: image classifiers trained in generations, on libtorch. Everything public is named here. */
export * as analysis from "./analysis/index.js";
export * as data from "./data/index.js";
export {
  type Difference,
  type EvaluateRunOptions,
  evaluateRun,
  Interrupted,
  type ModelFactory,
  type OnProgress,
  type RunEvaluation,
  type TrainGenerationsOptions,
  trainGenerations,
} from "./generations/index.js";
export * as losses from "./losses/index.js";
export * as models from "./models/index.js";
export * as nn from "./nn/index.js";
export * as optim from "./optim/index.js";
export { loadRecipe, type Recipe, RecipeError, type RecipeInput, resolveRecipe } from "./recipe/index.js";
export { writeReport } from "./report/index.js";
export {
  type EnsembleResult,
  type EpochRecord,
  type GenerationResult,
  type ProgressEvent,
  RunFolder,
  type RunResult,
  type Summary,
  type TestResult,
} from "./runs/index.js";
export * as torch from "./torch/index.js";
export * as training from "./training/index.js";
