/** The library of faults, built with the machine's C compiler when it is first needed. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageFile } from "./package-file.js";

const compilers = [process.env.CC, "gcc", "cc", "clang"].filter((name) => name !== undefined);

/** Says why the library cannot be built here; undefined where it can. */
export function missingCompiler(): string | undefined {
  if (process.platform !== "linux") return "needs LD_PRELOAD, which is Linux's";
  return compilers.some((name) => spawnSync(name, ["--version"]).status === 0)
    ? undefined
    : "there is no C compiler";
}

/**
 * Builds the library in a folder, where it is not there yet.
 *
 * @returns its path
 * @throws Error with what the compiler says
 */
export function preloadIn(folder: string): string {
  const library = join(folder, "faults.so");
  if (existsSync(library)) return library;
  const source = fileURLToPath(packageFile("faults/preload/faults.c"));
  let said = "there is no C compiler";
  for (const compiler of compilers) {
    const { status, stderr } = spawnSync(compiler, [
      "-shared",
      "-fPIC",
      "-O1",
      "-o",
      library,
      source,
      "-ldl",
    ]);
    if (status === 0) return library;
    if (stderr) said = stderr.toString();
  }
  throw new Error(`the library of faults cannot be built: ${said}`);
}

/** The numbers of the system's errors by their names. */
const { ENOSPC, EIO, EROFS } = constants.errno as Record<string, number>;
export const errors = { ENOSPC: ENOSPC!, EIO: EIO!, EROFS: EROFS! };

/** Gives the environment of a process whose calls fail. */
export function failing(
  library: string,
  options: { folder: string; calls: string; after: number; error: keyof typeof errors; mark: string },
): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAULTS_FOLDER: options.folder,
    FAULTS_CALLS: options.calls,
    FAULTS_AFTER: String(options.after),
    FAULTS_ERRNO: String(errors[options.error]),
    FAULTS_MARK: options.mark,
  };
}
