/** Optimisers, learning-rate schedules, and the scaling of gradients. */
export { GradScaler, type GradScalerOptions } from "./grad-scaler.js";
export type { OptionProblem, OptionShape, OptionsOf, Z } from "./options.js";
export {
  cosine,
  defineSchedule,
  multiStep,
  oneCycle,
  type Schedule,
  type ScheduleDefinition,
  schedules,
  type TrainingLength,
  withWarmup,
} from "./schedules/index.js";
export { SGD, type SGDOptions } from "./sgd.js";
