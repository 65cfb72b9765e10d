import type { RankEnvironment } from "./environment.js";
import type { ProcessGroup } from "./process-group.js";

export interface JoinOptions {
  /** How long to wait for the other ranks, when joining and in each operation later, in seconds. Default 600. */
  timeoutSeconds?: number;
  /** Gives up waiting for the others when it aborts. */
  signal?: AbortSignal;
}

/** Joins the group that the environment names, and resolves when all ranks have. */
export declare function joinGroup(environment: RankEnvironment, options?: JoinOptions): Promise<ProcessGroup>;
