/** The command line in a child process, as a person or a scheduler starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { packageFile } from "./package-file.js";

/** The built command line. */
export const main = fileURLToPath(packageFile("dist/cli/main.js"));

/** What a command came to. */
export interface Ended {
  /** The exit code; null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** All that it wrote, on stdout and stderr. */
  output: string;
  /** When it began and ended, in milliseconds of the wall clock. */
  began: number;
  at: number;
}

export interface CommandOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Whether the process leads a group of its own, to which those that it starts belong. Default: false. */
  group?: boolean;
  /** Called with the process, and again each time that it has written something. */
  onOutput?: (output: string, child: ChildProcess) => void;
}

/** The longest that a command may take before it counts as hung. */
const LONGEST_MS = 15 * 60_000;

/** Runs `lyceum` with arguments, to its end. */
export const lyceum = (args: readonly string[], options: CommandOptions): Promise<Ended> =>
  run(process.execPath, [main, ...args], options);

/** Runs a program, to its end. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = {}, group = false, onOutput }: CommandOptions,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const began = Date.now();
    const child = spawn(program, args, {
      cwd,
      detached: group,
      env: {
        ...process.env,
        OMP_NUM_THREADS: "1",
        LYCEUM_DATA: `${cwd}/cache`,
        UV_USE_IO_URING: "0",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const hung = setTimeout(
      () => (group ? process.kill(-child.pid!, "SIGKILL") : child.kill("SIGKILL")),
      LONGEST_MS,
    );
    const hear = (piece: Buffer) => {
      output += piece.toString();
      onOutput?.(output, child);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(hung);
      resolve({ code, signal, output, began, at: Date.now() });
    });
    onOutput?.(output, child);
  });
}
