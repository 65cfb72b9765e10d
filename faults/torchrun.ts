/** The command line as ranks that PyTorch's torchrun starts, and starts again when one fails. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type Ended, main, run } from "./command.js";

export interface TorchrunOptions extends CommandOptions {
  /** How many ranks. */
  processes: number;
  /** How often torchrun may start them again. */
  restarts: number;
  /** The port of its store, on the loopback. */
  port: number;
}

/** Runs `lyceum` with arguments on some ranks, to the end of all. */
export function torchrun(
  args: readonly string[],
  { processes, restarts, port, ...options }: TorchrunOptions,
): Promise<Ended> {
  const own = [
    ...["--nproc_per_node", processes, "--max_restarts", restarts, "--monitor_interval", 0.2],
    ...["--master_addr", "127.0.0.1", "--master_port", port],
    // Debian's torchrun wants both beside --no_python; what ranks write to stderr would go to files alone.
    ...["-r", 2, "-t", 1, "--log_dir", join(options.cwd, "log"), "--no_python"],
    ...["sh", "-c", 'exec "$@" 2>&1', "sh"],
  ].map(String);
  return run("torchrun", [...own, process.execPath, main, ...args], { ...options, group: true });
}

/** The process numbers of the ranks that a torchrun has started and that have not ended, by their ranks. */
export function ranksOf(torchrun: number): Map<number, number> {
  const ranks = new Map<number, number>();
  for (const pid of childrenOf(torchrun)) {
    try {
      const rank = /(?:^|\0)RANK=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
      if (rank !== undefined) ranks.set(Number(rank), pid);
    } catch {
      // It has ended.
    }
  }
  return ranks;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
