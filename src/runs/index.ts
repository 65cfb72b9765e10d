/** The run folder: its layout, log, lock and files that appear whole or not at all. */
export { syncFolder, writeAtomic } from "./atomic.js";
export { type BlasSpeed, measureBlas } from "./blas-check.js";
export { buildNetwork } from "./build-network.js";
export { claimRunDirectory, isRunName } from "./claim.js";
export {
  describeEnvironment,
  describeMachine,
  type Environment,
  type Import,
  lyceumVersion,
} from "./environment.js";
export type { Sittings } from "./environment-file.js";
export { CHANGEABLE, decidingRecipe, differingKeys, sha256Of, withoutPlace } from "./fingerprint.js";
export { parseJson, testResultSchema } from "./formats.js";
export { filesOf, type ImportedFile, type Imports, libraryOf } from "./imports.js";
export { describeRun, listRuns, type RunListing, runMarks } from "./list-runs.js";
export { acquireLock, isLocked, type Lock, LockHeld, lookAtLock, STALE_SECONDS } from "./lock.js";
export { BEAT_SECONDS } from "./lock-holder.js";
export { waitForLock } from "./lock-wait.js";
export { LockWatch } from "./lock-watch.js";
export { appendLine, parseRecord } from "./metrics-log.js";
export { type OtherFormat, otherFormat } from "./other-format.js";
export { type LiveProgress, MOST_POINTS, readProgress, writeProgress } from "./progress-file.js";
export { refuseLinkAt, refuseLinks } from "./refuse-links.js";
export { type GenerationPaths, RunFolder, type RunStatus } from "./run-folder.js";
export { differencesOfBits } from "./sittings.js";
export type * from "./types.js";
export { describeWeights, readWeights, type WeightsDescription, writeWeights } from "./weights.js";
