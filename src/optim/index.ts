/** Optimisers, learning-rate schedules, and what stands between gradients and a step. */
import { adamw } from "./adamw.js";
import type { OptimizerDefinition } from "./define.js";
import { sgd } from "./sgd.js";

/** The optimisers that recipes can name. */
export const optimizers: readonly OptimizerDefinition[] = [sgd, adamw];

export type { OptionProblem, OptionShape, OptionsOf, Z } from "../options.js";
export { AdamW, type AdamWOptions } from "./adamw.js";
export { AveragedWeights, type AveragedWeightsOptions } from "./averaged-weights.js";
export { BaseOptimizer, type BaseOptions, type Ready } from "./base-optimizer.js";
export { clipGradients } from "./clip-gradients.js";
export { defineOptimizer, type OptimizerDefinition } from "./define.js";
export { GradScaler, type GradScalerOptions } from "./grad-scaler.js";
export { GroupedOptimizer, type OptimizerGroup } from "./grouped.js";
export type { Optimizer } from "./optimizer.js";
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
