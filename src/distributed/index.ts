/**
 * Processes that train together: groups on PyTorch's c10d, by Gloo on the CPU and NCCL on cards, joined by what torchrun,
 * Slurm, Open MPI or Lyceum's own launcher left in the environment.
 */
export { assertAllEqual } from "./assert-all-equal.js";
export { groupFromEnvironment, type RankEnvironment } from "./environment.js";
export * from "./errors.js";
export { type JoinOptions, joinGroup } from "./join.js";
export { freePort, type Launched, type LaunchOptions, launch, variablesOf } from "./launch.js";
export type {
  AveragedRound,
  AveragerOptions,
  GradientAverager,
  ProcessGroup,
  Reduction,
} from "./process-group.js";
