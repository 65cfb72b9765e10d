/** How the command line takes its place among processes that train together. */
import type { ProcessGroup, RankEnvironment } from "../distributed/index.js";
import { UsageError } from "./errors.js";
import { parseProcesses } from "./train-processes.js";

/** What a process is to do: start others, be one of several, or train alone. */
export interface PlaceOfProcess {
  /** The number of processes to start; 1 where this one trains itself. */
  start: number;
  /** Its rank among the others; undefined where there are none. */
  rank: RankEnvironment | undefined;
}

/** @throws UsageError, EnvironmentError when the option and the environment contradict each other, or variables each other */
export async function placeOf({ processes }: { processes?: string | undefined }): Promise<PlaceOfProcess> {
  const count = processes === undefined ? 1 : parseProcesses(processes);
  const variables = ["RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"];
  // A process that is alone need not load the room of groups.
  if (!variables.some((name) => process.env[name])) return { start: count, rank: undefined };
  const { groupFromEnvironment } = await import("../distributed/index.js");
  const rank = groupFromEnvironment();
  if (!rank) return { start: count, rank };
  // The processes that this command starts are started with the same options.
  if (processes !== undefined && rank.size !== count)
    throw new UsageError(
      `--processes ${count} starts processes of its own, but this is one of ${rank.size} that ${rank.launcher} started: leave it out`,
    );
  return { start: 1, rank };
}

/** Joins the other processes; undefined where there are none. */
export async function join(
  { rank }: PlaceOfProcess,
  { timeout }: { timeout?: string | undefined },
): Promise<ProcessGroup | undefined> {
  const timeoutSeconds = timeout === undefined ? undefined : Number(timeout);
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0 && timeoutSeconds <= 1e6))
    throw new UsageError(`--timeout ${timeout}: must be a number of seconds above 0`);
  if (!rank) return undefined;
  const { joinGroup } = await import("../distributed/index.js");
  return await joinGroup(rank, timeoutSeconds === undefined ? {} : { timeoutSeconds });
}

/** Lets the first process do something whose result all go on with. */
export async function byFirst<T>(group: ProcessGroup | undefined, act: () => Promise<T>): Promise<T> {
  if (!group) return await act();
  const { Ranks } = await import("../training/index.js");
  return await new Ranks(group).decide("place of the run", act);
}

/** Whether a launcher has started this job before, so that it goes on with its run. */
export function isStartedAgain({ TORCHELASTIC_RESTART_COUNT, SLURM_RESTART_COUNT } = process.env): boolean {
  return Number(TORCHELASTIC_RESTART_COUNT) > 0 || Number(SLURM_RESTART_COUNT) > 0;
}

/** Whether torchrun starts this job again when a process fails. */
export function mayBeStartedAgain({ TORCHELASTIC_MAX_RESTARTS } = process.env): boolean {
  return Number(TORCHELASTIC_MAX_RESTARTS) > 0;
}

/**
 * What to do where a job of torchrun's finds its run begun, though it counts as started for the first time: it does so when
 * a node has joined an elastic one. Empty where torchrun has not started this process.
 */
export function elasticHint({ TORCHELASTIC_RUN_ID } = process.env): string {
  return TORCHELASTIC_RUN_ID === undefined
    ? ""
    : "; a job whose number of nodes may grow (torchrun --nnodes 1:2) needs --auto-resume, with which it goes on";
}
