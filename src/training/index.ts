/**
 * The training of one network: steps, epochs, prediction over a set, checkpoints, and the observers that
 * follow it.
 */

export { recomputeStatistics } from "./batch-norm-statistics.js";
export { loadCheckpoint, type Position, saveCheckpoint } from "./checkpoint.js";
export { type Reached, reachedIn } from "./checkpoint-position.js";
export { CheckpointWriter } from "./checkpoint-writer.js";
export { type ClassifierOptions, classifierOf, divideLogits } from "./classifier.js";
export { checkLogits, Diverged } from "./diverged.js";
export { type Found, loadNewest } from "./load-newest.js";
export { Meter, type Reading } from "./meter.js";
export { type Objective, objectiveOf, type Role } from "./objective.js";
export type { EpochReport, StepReport, TrainingObserver } from "./observer.js";
export { type Predictions, predict } from "./predict.js";
export { Ranks } from "./ranks.js";
export { Snapshot, type SnapshotOptions } from "./snapshot.js";
export { type Learner, type Precision, type Trained, type TrainingBatch, trainStep } from "./step.js";
export { canRecord, type Stepper, stepperFor } from "./stepper.js";
export { beginning, type TrainNetworkOptions, trainNetwork } from "./train-network.js";
export { NotFinite } from "./write-checkpoint.js";
