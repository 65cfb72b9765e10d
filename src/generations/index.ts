/** The method: a patriarch, its line of students, and the ensembles that they form. */
export type { Difference } from "./differences.js";
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from "./evaluate-run.js";
export { type Images, prepareImages } from "./images.js";
export type { ModelFactory } from "./line.js";
export type { OnProgress } from "./progress.js";
export { loadTestLogits } from "./results.js";
export {
  Interrupted,
  type TrainGenerationsOptions,
  trainGenerations,
} from "./train-generations.js";
