import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { nearest } from "../recipe/index.js";
import { UsageError } from "./errors.js";

/** The folder that runs go into unless `--out` names another. */
export const RUNS = "runs";

/**
 * Finds a run's folder by its path, or by its name in `runs/`.
 *
 * @throws UsageError that suggests the nearest name when there is no such run
 */
export async function findRun(nameOrPath: string): Promise<string> {
  for (const path of [nameOrPath, join(RUNS, nameOrPath)]) if (existsSync(path)) return path;
  const names = await readdir(RUNS).catch(() => []);
  const meant = nearest(nameOrPath, names);
  throw new UsageError(`${nameOrPath}: there is no such run${meant ? `; did you mean "${meant}"?` : ""}`);
}
