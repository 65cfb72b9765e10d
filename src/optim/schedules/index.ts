/** Learning-rate schedules. */
import { cosineSchedule } from "./cosine.js";
import type { ScheduleDefinition } from "./define.js";
import { multiStepSchedule } from "./multi-step.js";
import { oneCycleSchedule } from "./one-cycle.js";

/** The schedules that recipes can name. */
export const schedules: readonly ScheduleDefinition[] = [multiStepSchedule, cosineSchedule, oneCycleSchedule];

export { cosine } from "./cosine.js";
export { defineSchedule, type Schedule, type ScheduleDefinition, type TrainingLength } from "./define.js";
export { multiStep } from "./multi-step.js";
export { oneCycle } from "./one-cycle.js";
export { withWarmup } from "./warmup.js";
