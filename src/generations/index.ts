/** The training of a line: a patriarch, its students, and the ensembles that they form. */
export type { RunChanges } from "./changes.js";
export type { Difference } from "./differences.js";
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from "./evaluate-run.js";
export {
  checkExperiment,
  describeMethods,
  type Experiment,
  epochsOf,
  freshModel,
  type ModelFactory,
  methodOf,
  teachersOf,
  termLabels,
} from "./experiment.js";
export { parseGenerations } from "./generation-set.js";
export { handOver } from "./hand-over.js";
export { type Images, prepareImages } from "./images.js";
export { type Normalisation, seeing } from "./normalisation.js";
export type { OnProgress } from "./observers/progress.js";
export { explainMemory } from "./out-of-memory.js";
export { loadTestLabels, loadTestLogits } from "./results.js";
export { mostThreads, useThreads } from "./threads.js";
export { freeze, type TrainingPlace, trainGeneration } from "./train-generation.js";
export {
  describeNetwork,
  Interrupted,
  type TrainGenerationsOptions,
  trainGenerations,
} from "./train-generations.js";
export { loadWeights, recallNetwork } from "./weights.js";
