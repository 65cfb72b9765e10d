import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { nearest } from "../recipe/index.js";
import { UsageError } from "./errors.js";

/** Where runs go unless `--out` says otherwise. */
export const RUNS = "runs";

/**
 * The folder of a run that was named by its path, or by its name in `runs/`.
 *
 * @throws UsageError when there is none
 */
export async function findRun(nameOrPath: string): Promise<string> {
  for (const path of [nameOrPath, join(RUNS, nameOrPath)]) if (existsSync(path)) return path;
  const names = await readdir(RUNS).catch(() => []);
  const meant = nearest(nameOrPath, names);
  throw new UsageError(`${nameOrPath}: there is no such run${meant ? `; did you mean "${meant}"?` : ""}`);
}
