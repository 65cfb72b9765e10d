export { syncFolder, writeAtomic } from "./atomic.js";
export { type BlasSpeed, measureBlas } from "./blas-check.js";
export { claimRunDirectory, isRunName } from "./claim.js";
export { describeEnvironment, describeMachine, type Environment, lyceumVersion } from "./environment.js";
export { listRuns, type RunListing } from "./list-runs.js";
export { type GenerationPaths, RunFolder, type RunStatus } from "./run-folder.js";
export type * from "./types.js";
export { readWeights, type WeightsDescription, writeWeights } from "./weights.js";
