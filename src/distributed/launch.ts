/** Starts several processes of one program on this machine, as ranks of one group. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { physicalCores } from "../torch/index.js";

export interface LaunchOptions {
  /** How many processes. */
  processes: number;
  /** The arguments of Node after its own: the script and what it is given. Default: those of this process. */
  args?: readonly string[];
  /** Node's own arguments, before the script. Default: those of this process. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string | undefined>>;
  /** CPU threads of all processes together. Default: one for each physical core. OMP_NUM_THREADS counts before. */
  threads?: number;
  /** Passed on to all processes as a SIGTERM when it aborts. */
  signal?: AbortSignal;
  /**
   * Where output goes: of rank 0 as it is, of the others line by line after their number. Default: that of this process, which
   * rank 0 then has itself, be it a terminal or not.
   */
  stdout?: NodeJS.WritableStream;
  stderr?: NodeJS.WritableStream;
  /** How long the others may go on once one has failed, in seconds, before they are killed. Default 15. */
  graceSeconds?: number;
}

/** How the processes ended. */
export interface Launched {
  /** What this process should end with: 0, or the code of the rank that failed first (128 + n for a signal n). */
  code: number;
  /** The rank that failed first. */
  failed?: { rank: number; code: number | null; signal: NodeJS.Signals | null };
}

/** The variables that torchrun sets too, of one rank on one machine. */
export function variablesOf(rank: number, size: number, port: number): Record<string, string> {
  return {
    RANK: String(rank),
    WORLD_SIZE: String(size),
    LOCAL_RANK: String(rank),
    LOCAL_WORLD_SIZE: String(size),
    GROUP_RANK: "0",
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
  };
}

/** A port of the loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
  SIGSEGV: 11,
  SIGABRT: 6,
};

/**
 * Runs this program again in several processes and waits for all to end. SIGINT and SIGTERM are passed on. When one fails the
 * others are given some time to say what they lost, then asked to end, then killed.
 *
 * @throws RangeError when the number of processes is no whole number of 2 or more
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { processes, signal, graceSeconds = 15 } = options;
  if (!Number.isInteger(processes) || processes < 2 || processes > 1024) {
    throw new RangeError(`the number of processes must be a whole number from 2 to 1024, got ${processes}`);
  }
  const { env = process.env, flags = process.execArgv, args = process.argv.slice(1) } = options;
  const port = await freePort();
  const share = Math.max(1, Math.floor((options.threads ?? physicalCores()) / processes));
  const children: ChildProcess[] = [];
  const sendAll = (name: NodeJS.Signals) => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(name);
  };
  const listeners = (["SIGINT", "SIGTERM"] as const).map((name) => {
    const pass = () => sendAll(name);
    process.on(name, pass);
    return () => process.off(name, pass);
  });
  const onAbort = () => sendAll("SIGTERM");
  signal?.addEventListener("abort", onAbort);

  let failed: Launched["failed"];
  const timers: NodeJS.Timeout[] = [];
  const onEnd = (rank: number, code: number | null, by: NodeJS.Signals | null) => {
    if (code === 0 || failed) return;
    failed = { rank, code, signal: by };
    // The others notice by themselves, save, and say so. Whoever does not is stuck.
    timers.push(setTimeout(() => sendAll("SIGTERM"), graceSeconds * 500));
    timers.push(setTimeout(() => sendAll("SIGKILL"), graceSeconds * 1000));
  };
  try {
    const ended = Array.from({ length: processes }, (_, rank) => {
      const child = spawn(process.execPath, [...flags, ...args], {
        // A signal of the terminal's reaches this process alone, which passes it on once.
        detached: true,
        env: { OMP_NUM_THREADS: String(share), ...env, ...variablesOf(rank, processes, port) },
        stdio: ["ignore", outputOf(rank, options.stdout), outputOf(rank, options.stderr)],
      });
      children.push(child);
      if (child.stdout) passOn(child.stdout, options.stdout ?? process.stdout, rank);
      if (child.stderr) passOn(child.stderr, options.stderr ?? process.stderr, rank);
      return new Promise<void>((resolve) => {
        child.once("error", () => {
          onEnd(rank, null, null);
          if (child.pid === undefined) resolve();
        });
        child.once("close", (code, by) => {
          onEnd(rank, code, by);
          resolve();
        });
      });
    });
    await Promise.all(ended);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const stop of listeners) stop();
    signal?.removeEventListener("abort", onAbort);
    // Where this function itself failed.
    sendAll("SIGTERM");
  }
  if (!failed) return { code: 0 };
  const code = failed.code ?? 128 + (failed.signal ? (signalNumbers[failed.signal] ?? 0) : 0);
  return { code: code || 1, failed };
}

function outputOf(rank: number, given: NodeJS.WritableStream | undefined): "inherit" | "pipe" {
  return rank === 0 && !given ? "inherit" : "pipe";
}

/** Rank 0's output as it is; lines of the others behind "[rank 1] ". */
function passOn(from: NodeJS.ReadableStream, to: NodeJS.WritableStream, rank: number): void {
  if (rank === 0) {
    from.on("data", (data) => void to.write(data));
    return;
  }
  let rest = "";
  from.setEncoding("utf8");
  from.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) to.write(`[rank ${rank}] ${line}\n`);
  });
  from.on("end", () => {
    if (rest !== "") to.write(`[rank ${rank}] ${rest}\n`);
  });
}
