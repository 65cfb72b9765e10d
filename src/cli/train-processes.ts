/** Trains in several processes of this machine, each of which is one rank. */
import { ChildFailed, UsageError } from "./errors.js";

/** @throws UsageError when it is no number of processes */
export function parseProcesses(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return count;
  throw new UsageError(`--processes ${text}: must be a whole number from 1 to 1024`);
}

/**
 * Starts this very command once for each process, with the variables by which processes find each other, and waits for all
 * to end.
 *
 * @param processes how many there are, 2 or more; they share the physical cores
 * @throws ChildFailed when one ends otherwise than well
 */
export async function trainInProcesses(processes: number): Promise<void> {
  const { launch } = await import("../distributed/index.js");
  const { code, failed } = await launch({ processes });
  if (!failed) return;
  const { rank, signal } = failed;
  if (failed.code !== null || signal === null) throw new ChildFailed(code);
  const why =
    signal === "SIGKILL" ? ", as the system does when memory runs out: fewer --processes need less" : "";
  throw new ChildFailed(code, `rank ${rank} was ended by ${signal}${why}. The last checkpoint is kept`);
}
