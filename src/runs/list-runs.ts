import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { builtIn, namesBeyond, type Recipe } from "../recipe/index.js";
import type { Import } from "./environment.js";
import { epochRecordSchema } from "./formats.js";
import { RunFolder } from "./run-folder.js";
import type { EpochRecord } from "./types.js";

/** One run in a list of runs: what its folder tells without its weights being read. */
export interface RunListing {
  /**
   * The run's path below the folder that was listed; the folder's own name where that folder is the run
   * itself.
   */
  name: string;
  /** The run's folder. */
  directory: string;
  /** "training" while a process holds the folder; "damaged" where the folder cannot be read as a run. */
  state: "training" | "finished" | "unfinished" | "damaged";
  /** The reason why a run counts as damaged, in words; such a run has none of the fields below. */
  problem?: string;
  title?: string;
  /** The name of the data set. */
  data?: string;
  /** The name of the network. */
  model?: string;
  /** The number of generations that have a result, and the number that the recipe asks for. */
  generations?: { finished: number; of: number };
  /**
   * The epochs done of the generation under way; left out where all are finished, or where it has done none.
   */
  epochs?: { done: number; of: number };
  /**
   * Accuracies on the test images, fractions: of the last finished generation, and of the ensemble of all
   * finished ones.
   */
  top1?: { last: number; ensemble?: { generations: string; top1: number } };
  /** The time at which the training began, ISO 8601. */
  date?: string;
  /** Says what commands that compute with the run need beside Lyceum, where they need anything. */
  note?: string;
}

/** The files of which any one makes a folder a run, be it a damaged run. */
export const runMarks = ["recipe.yaml", "environment.json", "metrics.jsonl", "summary.json", ".lock"];
/** How many folders deep runs are looked for, so that a search from a high folder ends in reasonable time. */
const MOST_LEVELS = 4;
/** How many runs are read at the same time. */
const AT_ONCE = 8;

/**
 * Lists the runs in a folder and in the folders below it, or the one run that the folder is. They are sorted
 * by the date on which they began, the newest last; runs without a date come first. Links to folders are not
 * followed, hidden folders are left out, and nothing is written.
 *
 * @throws Error when the folder itself is not there or cannot be read; a run that cannot be read is listed as
 *   damaged
 */
export async function listRuns(folder: string): Promise<RunListing[]> {
  const places: Place[] = [];
  await findRuns({ name: "", directory: folder }, 0, places);
  const listings: RunListing[] = new Array(places.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < places.length; i = next++) listings[i] = await describeRun(places[i]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const order = ({ date = "", name }: RunListing) => `${date} ${name}`;
  return listings.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** A folder that holds a run, or that cannot be looked into. */
interface Place {
  name: string;
  directory: string;
  /** The reason why the folder cannot be looked into; undefined where it can. */
  problem?: string;
}

async function findRuns(place: Place, level: number, found: Place[]): Promise<void> {
  const { name, directory } = place;
  const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
    if (level === 0) throw error;
    found.push({ ...place, problem: inWords(error) });
    return [];
  });
  const names = new Set(entries.map((entry) => entry.name));
  // A study's folder has a summary.json too, and is no run.
  if (names.has("study.yaml") && names.has("networks")) return;
  if (runMarks.some((mark) => names.has(mark))) {
    found.push({ ...place, name: name || basename(resolve(directory)) });
    return;
  }
  if (level === MOST_LEVELS) return;
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const inner = { name: join(name, entry.name), directory: join(directory, entry.name) };
    await findRuns(inner, level + 1, found);
  }
}

/** Describes one run, as {@link listRuns} does. */
export async function describeRun({ name, directory, problem }: Place): Promise<RunListing> {
  const damaged = (problem: string): RunListing => ({ name, directory, state: "damaged", problem });
  if (problem !== undefined) return damaged(problem);
  try {
    const run = await RunFolder.look(directory);
    const { state, finished, generations } = await run.status();
    const { title, data, model } = run.recipe;
    const summary = await run.readSummary();
    const environment = await run.readEnvironment();
    const date = environment?.date;
    const note = noteOf(run.recipe, environment?.imports ?? []);
    const last = summary?.generations.at(-1)?.test.top1;
    const together = `0-${finished - 1}`;
    const ensemble = summary?.ensembles[together]?.test.top1;
    const record = finished < generations ? await lastRecord(join(directory, "metrics.jsonl")) : undefined;
    return {
      name,
      directory,
      state,
      ...(title !== undefined && { title }),
      data: data.name,
      model,
      generations: { finished, of: generations },
      ...(record?.generation === finished && { epochs: { done: record.epoch, of: record.epochs } }),
      ...(last !== undefined && {
        top1: {
          last,
          ...(ensemble !== undefined && { ensemble: { generations: together, top1: ensemble } }),
        },
      }),
      ...(date !== undefined && { date }),
      ...(note !== undefined && { note }),
    };
  } catch (error) {
    // The message need not name the run's folder: it is shown beside the run's name.
    const [shown, absolute] = [`${directory}: `, `${resolve(directory)}/`];
    return damaged(inWords(error).replace(shown, "").replace(absolute, ""));
  }
}

/**
 * Names the imported files that a run was made with, or the definitions that only the code which made it has.
 */
function noteOf(recipe: Recipe, imports: readonly Import[]): string | undefined {
  if (imports.length > 0) return `needs ${imports.map(({ file }) => `--import ${file}`).join(" ")}`;
  const own = namesBeyond(recipe, builtIn);
  return own.length > 0 ? `made by code that defines ${own.join(", ")}` : undefined;
}

function inWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM" ? "may not be read" : message.split("\n", 1)[0]!;
}

/**
 * How much of a log's end is read: a record is some hundred bytes long, and a torn line may follow the last
 * whole one.
 */
const TAIL_BYTES = 64 * 1024;

/** Reads the last whole record of a log without reading all of the log; undefined where there is none. */
async function lastRecord(path: string): Promise<EpochRecord | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const file = await open(path);
  try {
    const start = Math.max(0, found.size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(found.size - start),
      0,
      found.size - start,
      start,
    );
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    for (const line of lines.reverse()) {
      const record = parse(line);
      if (record) return record;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

function parse(line: string): EpochRecord | undefined {
  try {
    return epochRecordSchema().parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
