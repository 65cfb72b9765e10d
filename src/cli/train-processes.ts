/** Trains in several processes of this machine, each of which is one rank. */
import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:net";
import { ChildFailed, Interrupted, UsageError } from "./errors.js";

/** Milliseconds in which the others end by themselves once one has failed: they notice at once, and save nothing. */
const PATIENCE_MS = 10_000;

/** @throws UsageError when it is no number of processes */
export function parseProcesses(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return count;
  throw new UsageError(`--processes ${text}: must be a whole number from 1 to 1024`);
}

/**
 * Starts this very command once for each process, with the variables by which processes find each other, and waits for all
 * to end. The first one has the terminal; of the others errors are shown.
 *
 * @param count how many there are; they share the physical cores
 * @throws ChildFailed when one ends otherwise than well, Interrupted when they were asked to stop
 */
export async function trainInProcesses(count: number): Promise<void> {
  const { physicalCores } = await import("../torch/index.js");
  const share = Math.max(1, Math.floor(physicalCores() / count));
  const port = String(await freePort());
  const children: ChildProcess[] = [];
  let isAsked = false;
  const pass = (signal: NodeJS.Signals) => {
    isAsked = true;
    for (const child of children) child.kill(signal);
  };
  process.on("SIGINT", pass).on("SIGTERM", pass);
  try {
    const ends = Array.from({ length: count }, (_, rank) => {
      const child = fork(process.argv[1]!, process.argv.slice(2), {
        env: {
          OMP_NUM_THREADS: String(share),
          ...process.env,
          ...{ RANK: String(rank), WORLD_SIZE: String(count) },
          ...{ LOCAL_RANK: String(rank), LOCAL_WORLD_SIZE: String(count) },
          ...{ MASTER_ADDR: "127.0.0.1", MASTER_PORT: port },
        },
        stdio: rank === 0 ? ["inherit", "inherit", "inherit", "ipc"] : ["ignore", "ignore", "inherit", "ipc"],
      });
      child.channel?.unref();
      children.push(child);
      return endOf(child, rank);
    });
    const failed = await firstFailure(ends, children);
    if (failed?.code === 130 && isAsked) throw new Interrupted("stopped");
    if (failed) throw failed;
  } finally {
    process.off("SIGINT", pass).off("SIGTERM", pass);
  }
}

/** Waits for all processes. @returns how the first one failed that did; the others are then made to end soon */
async function firstFailure(
  ends: readonly Promise<ChildFailed | undefined>[],
  children: readonly ChildProcess[],
): Promise<ChildFailed | undefined> {
  let first: ChildFailed | undefined;
  let timer: NodeJS.Timeout | undefined;
  const watched = ends.map(async (end) => {
    const failure = await end;
    if (!failure || first) return;
    first = failure;
    timer = setTimeout(() => {
      for (const child of children) child.kill("SIGKILL");
    }, PATIENCE_MS);
  });
  await Promise.all(watched);
  clearTimeout(timer);
  return first;
}

function endOf(child: ChildProcess, rank: number): Promise<ChildFailed | undefined> {
  return new Promise((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined)
        resolve(new ChildFailed(1, `rank ${rank} could not be started: ${error.message}`));
    });
    child.on("close", (code, by) => {
      if (code === 0) resolve(undefined);
      else if (code !== null) resolve(new ChildFailed(code));
      else
        resolve(
          new ChildFailed(
            1,
            `rank ${rank} was ended by ${by}${by === "SIGKILL" ? ", as the system does when memory runs out: fewer --processes need less" : ""}. ` +
              "The last checkpoint is kept",
          ),
        );
    });
  });
}

/** Finds a port of this machine at which nobody listens. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
