/** Runs the work at a study in processes of its own, one for each job. */
import { type ChildProcess, fork } from "node:child_process";
import type { WorkerMessage } from "./study-worker.js";

export interface ProcessesOptions {
  /** How many processes work at the same time, which decides each one's share of the threads. */
  jobs: number;
  /** How many of them have something to do. */
  useful: number;
  /** CPU threads for all of them together. Default: one per physical core. */
  threads: number | undefined;
  /** Aborting it asks the processes to save and end. */
  signal: AbortSignal;
  onEvent(message: WorkerMessage): void;
}

/** Says why a process ended that should have gone on. */
function whyEnded(code: number | null, by: NodeJS.Signals | null, complaint: string): string {
  const goesOn = "What is finished is kept, and the same command goes on";
  if (by === "SIGKILL")
    return `a process that trained was killed, as the system does when memory runs out: fewer --jobs need less. ${goesOn}`;
  if (by) return `a process that trained ended by ${by}${complaint ? `: ${complaint}` : ""}. ${goesOn}`;
  return complaint.replace(/^lyceum: /, "") || `a process that trained ended with code ${code}. ${goesOn}`;
}

/**
 * Starts the processes, which share the work by themselves, and waits for all to end.
 *
 * @param args the arguments of `study-worker`
 * @returns the failures of networks, by fingerprint
 * @throws Error when a process ends otherwise than by having nothing left to do
 */
export async function workInProcesses(
  args: readonly string[],
  { jobs, useful, threads, signal, onEvent }: ProcessesOptions,
): Promise<Map<string, string>> {
  const { physicalCores } = await import("../torch/index.js");
  const share = Math.max(1, Math.floor((threads ?? physicalCores()) / jobs));
  const failures = new Map<string, string>();
  const children: ChildProcess[] = [];
  const stopAll = () => {
    for (const child of children) child.kill("SIGTERM");
  };
  signal.addEventListener("abort", stopAll);
  let broken: string | undefined;
  const ended = Array.from({ length: Math.min(jobs, useful) }, async () => {
    const child = fork(process.argv[1]!, ["study-worker", ...args, "--threads", String(share)], {
      env: { ...process.env, OMP_NUM_THREADS: String(share) },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    children.push(child);
    let complaint = "";
    child.stderr?.on("data", (text) => {
      complaint = `${complaint}${text}`.slice(-4000);
    });
    child.on("message", (message) => {
      const told = message as WorkerMessage;
      if (told.type === "failed") failures.set(told.fingerprint, told.message);
      onEvent(told);
    });
    await new Promise<void>((resolve) => {
      // A process that cannot be started, as when there are too many, may never be closed.
      child.on("error", (error) => {
        broken ??= `a process that trains could not be started or told to end: ${error.message}`;
        stopAll();
        if (child.pid === undefined) resolve();
      });
      child.on("close", (code, by) => {
        if (code !== 0 && !signal.aborted) {
          broken ??= whyEnded(code, by, complaint.trim());
          stopAll();
        }
        resolve();
      });
    });
  });
  await Promise.all(ended);
  signal.removeEventListener("abort", stopAll);
  if (broken !== undefined) throw new Error(broken);
  return failures;
}
