/** Runs a TypeScript file in a process of its own, for tests that may lose the process or that measure it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { nativePath } from "../addon.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Bundle {
  /** The bundled file's path. */
  script: string;
  /** Removes the file. */
  [Symbol.dispose](): void;
}

/** Bundles a source, by its path in the repository, with all that it imports of it into one file that Node can run. */
export async function bundle(path: string): Promise<Bundle> {
  // The folder is within the repository, so that packages are found.
  const outDir = mkdtempSync(join(root, "build/child-"));
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      ...{ ssr: path, outDir, target: "es2022", minify: false },
      // Parts that are loaded later lie beside the script, so that paths relative to them are those of the script.
      rollupOptions: { output: { chunkFileNames: "[name]-[hash].js" } },
    },
  });
  const script = join(outDir, basename(path).replace(/\.ts$/, ".js"));
  return { script, [Symbol.dispose]: () => rmSync(outDir, { recursive: true, force: true }) };
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** The last few thousand characters. */
  stderr: string;
}

export interface StartOptions {
  /** Node's own arguments, which stand before the script. */
  flags?: readonly string[];
  /** The limit of its address space in kilobytes; only where the shell can set one. */
  addressSpace?: number;
  /** The folder that it runs in; the repository when left out. */
  cwd?: string;
  /** Variables beside those of this process. */
  env?: Record<string, string>;
}

/** Starts the script. `child.kill` ends it before its time. */
export function start(
  script: string,
  args: readonly string[],
  { flags = [], addressSpace, cwd = root, env }: StartOptions = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const own = { cwd, env: { ...process.env, OMP_NUM_THREADS: "1", LYCEUM_NATIVE: nativePath(), ...env } };
  const node = [process.execPath, ...flags, script, ...args] as const;
  const limits = addressSpace ? `ulimit -v ${addressSpace} 2>/dev/null; ` : "";
  // A shell does not survive ThreadSanitizer, and no sanitizer an address space that is limited.
  const child = process.env.LYCEUM_SANITIZED
    ? spawn(node[0], node.slice(1), own)
    : spawn("sh", ["-c", `ulimit -c 0; ${limits}exec "$@"`, "sh", ...node], own);
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
