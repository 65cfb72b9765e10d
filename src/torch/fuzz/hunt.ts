/** Runs programs in a process of its own, and says which of them it did not survive. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { start } from "../testing/child.js";
import type { Order } from "./child.js";

/** After this many seconds of work within one step it is taken to hang: calls of these sizes take milliseconds. */
const patience = 30;
/** A step that waits instead of working has this many times as long, since the machine may be busy. */
const slack = 20;

/** What ended the process. */
export interface Loss {
  /** The number of the program and of its step. */
  program: number;
  step: number;
  /** Such as "died of SIGSEGV". */
  how: string;
  /** The end of what the process wrote to standard error. */
  stderr: string;
}

export interface HuntOptions {
  /** The folder that the process runs in. */
  cwd: string;
  /** Variables of the process beside those of this one. */
  env?: Record<string, string>;
  /** The limit of the process's address space in kilobytes. */
  addressSpace?: number;
  signal?: AbortSignal;
}

/** Runs the order by `script`, which is child.ts bundled. @returns undefined where all programs were survived */
export async function hunt(
  script: string,
  order: Order,
  { cwd, env = {}, addressSpace = 8_000_000, signal: abort }: HuntOptions,
): Promise<Loss | undefined> {
  const { child, ended } = start(script, [JSON.stringify(order)], {
    addressSpace,
    cwd,
    // Small blocks come from malloc, whose own checks find operators that write past their memory.
    // libtorch's warnings would hide what a dying process says.
    env: { LYCEUM_SMALL_BLOCKS: "0", GLOG_minloglevel: "2", ...env },
  });
  const kill = () => void child.kill("SIGKILL");
  abort?.addEventListener("abort", kill);
  const watch = watchSteps(child, order.position, kill);
  const { code, signal, stderr } = await ended;
  clearInterval(watch);
  abort?.removeEventListener("abort", kill);
  const where = positionOf(order.position);
  if ((where === "done" && code === 0) || abort?.aborted) return undefined;
  const [program = order.from, step = 0] = where.split(" ").map(Number);
  const died = `died of ${signal ?? `exit code ${code}`}`;
  return { program, step, how: signal === "SIGKILL" ? `hung for ${patience} s` : died, stderr };
}

/** Calls `kill` when a step takes too long. */
function watchSteps(child: ChildProcess, position: string, kill: () => void): NodeJS.Timeout {
  let last = "";
  let since = { work: 0, time: 0 };
  return setInterval(() => {
    const now = positionOf(position);
    // What a busy machine makes it wait for a processor is no time of its own.
    const time = performance.now() / 1000 - secondsInQueue(child.pid);
    const work = secondsOfWork(child.pid) ?? time * slack;
    if (now !== last) {
      last = now;
      since = { work, time };
    }
    if (work - since.work > patience || time - since.time > slack * patience) kill();
  }, 500);
}

/** The processor's time that a process has taken, in seconds; undefined where /proc does not say. */
function secondsOfWork(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The 14th and 15th fields count user's and system's time in hundredths; the second, in brackets, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/** The time that a process was ready to run and did not get a processor, in seconds; 0 where /proc does not say. */
function secondsInQueue(pid: number | undefined): number {
  try {
    // Nanoseconds at work, nanoseconds in the queue, and turns.
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e9 || 0;
  } catch {
    return 0;
  }
}

function positionOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
