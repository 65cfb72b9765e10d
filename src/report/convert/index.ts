/** Runs in the formats of others, by which they can be watched and compared elsewhere. */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { AnyDataset } from "../../data/index.js";
import { type Imports, libraryOf, RunFolder } from "../../runs/index.js";
import { writeTables } from "./tables.js";
import { writeEvents } from "./tensorboard.js";

export { RunBoard } from "./board.js";

export type Format = "tensorboard" | "csv";

export interface Conversion {
  /** What was written, the folder itself included in the paths. */
  written: string[];
  /** Why something is not in it, for people: images that are not here, say. */
  notes: string[];
}

export interface ConvertOptions {
  to: Format;
  /** The images, where a program has handed them over and the recipe names no data set. */
  dataset?: AnyDataset | undefined;
  /** What the run's recipe can name beside Lyceum's own definitions. */
  imports?: Imports | undefined;
}

/**
 * Writes a run, finished or not, in a format of others into a folder, which appears whole or not at all.
 *
 * @param out where nothing is yet
 * @throws Error when the folder is no run, its files are damaged, or `out` is there
 */
export async function convertRun(
  directory: string,
  out: string,
  { to, dataset, imports = [] }: ConvertOptions,
): Promise<Conversion> {
  const run = await RunFolder.open(directory, imports);
  if (existsSync(out)) throw new Error(`${out}: is there already: remove it, or name another folder`);
  const temporary = `${out}.${process.pid}.tmp`;
  try {
    const write = to === "csv" ? writeTables : writeEvents;
    const { written, notes } = await write(run, temporary, { library: libraryOf(imports), dataset });
    await rename(temporary, out);
    return { written: written.map((path) => path.replace(temporary, out)), notes };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
