import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { builtIn, namesBeyond, type Recipe } from "../recipe/index.js";
import type { Import } from "./environment.js";
import { epochRecordSchema } from "./formats.js";
import { RunFolder } from "./run-folder.js";
import type { EpochRecord } from "./types.js";

/** What is known of a run without opening its weights. */
export interface RunListing {
  /** Path below the folder that was listed; its last part where that folder is the run itself. */
  name: string;
  directory: string;
  /** "training" while a process holds the folder; "damaged" where it cannot be read as a run. */
  state: "training" | "finished" | "unfinished" | "damaged";
  /** Why it is damaged; all that is below is then left out. */
  problem?: string;
  title?: string;
  data?: string;
  model?: string;
  /** Generations with a result, and those that the recipe asks for. */
  generations?: { finished: number; of: number };
  /** Epochs of the generation that is not finished yet; left out where none is or it has none. */
  epochs?: { done: number; of: number };
  /** On the test images, a fraction: of the last finished generation, and of the largest ensemble with the first. */
  top1?: { last: number; ensemble?: { generations: string; top1: number } };
  /** When the training began, ISO 8601. */
  date?: string;
  /** What a command that computes with the run has to be given, where Lyceum alone is not enough. */
  note?: string;
}

/** Any of these makes a folder a run, be it a broken one. */
const marks = ["recipe.yaml", "environment.json", "metrics.jsonl", "summary.json", ".lock"];
/** Runs in folders of runs are found; what lies deeper is somebody's archive. */
const MOST_LEVELS = 4;
const AT_ONCE = 8;

/**
 * The runs under a folder, or the one that it is, by the date on which they began: the newest last, those without one first.
 * Links to folders are not followed, hidden folders left out, and nothing is written.
 *
 * @throws Error when the folder itself is not there or cannot be read; all else that cannot is listed as damaged
 */
export async function listRuns(folder: string): Promise<RunListing[]> {
  const places: Place[] = [];
  await findRuns({ name: "", directory: folder }, 0, places);
  const listings: RunListing[] = new Array(places.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < places.length; i = next++) listings[i] = await describe(places[i]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const order = ({ date = "", name }: RunListing) => `${date} ${name}`;
  return listings.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

interface Place {
  name: string;
  directory: string;
  /** Why it cannot be looked into. */
  problem?: string;
}

async function findRuns(place: Place, level: number, found: Place[]): Promise<void> {
  const { name, directory } = place;
  const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
    if (level === 0) throw error;
    found.push({ ...place, problem: inWords(error) });
    return [];
  });
  if (entries.some((entry) => marks.includes(entry.name))) {
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

async function describe({ name, directory, problem }: Place): Promise<RunListing> {
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
    // The line has the run's name already.
    const [shown, absolute] = [`${directory}: `, `${resolve(directory)}/`];
    return damaged(inWords(error).replace(shown, "").replace(absolute, ""));
  }
}

/** The files that a run was made with, or the names in its recipe that only the code which made it can explain. */
function noteOf(recipe: Recipe, imports: readonly Import[]): string | undefined {
  if (imports.length > 0) return `needs ${imports.map(({ file }) => `--import ${file}`).join(" ")}`;
  const own = namesBeyond(recipe, builtIn);
  return own.length > 0 ? `made by code that defines ${own.join(", ")}` : undefined;
}

function inWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM" ? "may not be read" : message.split("\n", 1)[0]!;
}

/** A record is some hundred bytes long; a torn last line may follow it. */
const TAIL_BYTES = 64 * 1024;

/** The last whole record of a log that may be long; undefined where there is none. */
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
