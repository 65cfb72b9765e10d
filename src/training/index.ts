/** One network: a step, its epochs, evaluation, checkpoints. */
export { loadCheckpoint, type Position, saveCheckpoint } from "./checkpoint.js";
export { type Answers, answer } from "./evaluate.js";
export { Meter, type Reading } from "./meter.js";
export {
  type Losses,
  type Objective,
  patriarchObjective,
  strictObjective,
  studentObjective,
} from "./objective.js";
export { type Learner, type Precision, type TrainingBatch, trainStep } from "./step.js";
export { canRecord, type Stepper, stepperFor } from "./stepper.js";
export {
  Diverged,
  type EpochReport,
  type StepReport,
  type TrainNetworkOptions,
  trainNetwork,
} from "./train-network.js";
