/** The training of a line: a patriarch, its students, and the ensembles that they form. */
export type { Difference } from "./differences.js";
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from "./evaluate-run.js";
export { describeMethods, type Given, type ModelFactory, termLabels } from "./experiment.js";
export { ensembleName, parseGenerations } from "./generation-set.js";
export { type Images, prepareImages } from "./images.js";
export type { OnProgress } from "./observers/progress.js";
export type { RecipeForImages } from "./open-run.js";
export { loadTestLogits } from "./results.js";
export {
  Interrupted,
  type TrainGenerationsOptions,
  titleOf,
  trainGenerations,
} from "./train-generations.js";
