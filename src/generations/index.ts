/** The training of a line: a patriarch, its students, and the ensembles that they form. */
export type { Difference } from "./differences.js";
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from "./evaluate-run.js";
export {
  checkExperiment,
  describeMethods,
  type Experiment,
  epochsOf,
  freshModel,
  type Given,
  type ModelFactory,
  methodOf,
  teachersOf,
  termLabels,
} from "./experiment.js";
export { ensembleName, parseGenerations } from "./generation-set.js";
export { handOver } from "./hand-over.js";
export { type Images, prepareImages } from "./images.js";
export type { OnProgress } from "./observers/progress.js";
export type { RecipeForImages } from "./open-run.js";
export { loadTestLogits } from "./results.js";
export { freeze, roleOf, type TrainingPlace, trainGeneration } from "./train-generation.js";
export {
  describeNetwork,
  Interrupted,
  type TrainGenerationsOptions,
  titleOf,
  trainGenerations,
} from "./train-generations.js";
export { loadWeights } from "./weights.js";
