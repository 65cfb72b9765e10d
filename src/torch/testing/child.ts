/** Runs a TypeScript file in a process of its own, for tests that may lose it or that weigh it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { nativePath } from "../addon.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Bundle {
  /** Its path. */
  script: string;
  /** Removes it. */
  [Symbol.dispose](): void;
}

/** The source at `path`, relative to the repository, with all that it imports of it, as one file Node can run. */
export async function bundle(path: string): Promise<Bundle> {
  // Within the repository, so that packages are found.
  const outDir = mkdtempSync(join(root, "build/child-"));
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: { ssr: path, outDir, target: "es2022", minify: false },
  });
  const script = join(outDir, basename(path).replace(/\.ts$/, ".js"));
  return { script, [Symbol.dispose]: () => rmSync(outDir, { recursive: true, force: true }) };
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** Its last few thousand characters. */
  stderr: string;
}

export interface StartOptions {
  /** For Node, before the script. */
  flags?: readonly string[];
  /** Kilobytes of address space; only where the shell can limit it. */
  addressSpace?: number;
  /** Where it runs; the repository when left out. */
  cwd?: string;
  /** Variables beside those of this process. */
  env?: Record<string, string>;
}

/** Starts the script; `child.kill` ends it. */
export function start(
  script: string,
  args: readonly string[],
  { flags = [], addressSpace, cwd = root, env }: StartOptions = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const limits = addressSpace ? `ulimit -v ${addressSpace} 2>/dev/null; ` : "";
  const child = spawn(
    "sh",
    ["-c", `ulimit -c 0; ${limits}exec "$@"`, "sh", process.execPath, ...flags, script, ...args],
    { cwd, env: { ...process.env, OMP_NUM_THREADS: "1", LYCEUM_NATIVE: nativePath(), ...env } },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}
