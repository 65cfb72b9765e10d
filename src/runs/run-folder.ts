import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import { schema } from "../packages.js";
import {
  type Library,
  loadStoredRecipe,
  type Recipe,
  readBoundedText,
  recipeToYaml,
} from "../recipe/index.js";
import { syncFolder, writeAtomic } from "./atomic.js";
import { type Environment, environmentSchema, type Import, lyceumVersion } from "./environment.js";
import { CHANGEABLE, differingKeys, fingerprint } from "./fingerprint.js";
import { parseJson, summarySchema } from "./formats.js";
import { askForImports, checkImports, type Imports, libraryOf } from "./imports.js";
import { acquireLock, isLocked } from "./lock.js";
import { appendRecord, readRecords } from "./metrics-log.js";
import { checkRunFormat, RUN_FORMAT } from "./run-format.js";
import type { EpochRecord, Summary } from "./types.js";

const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** Where the parts of a generation lie; computed from its number, never read from a file. */
export interface GenerationPaths {
  directory: string;
  weights: string;
  testLogits: string;
  /** Only there while the generation is unfinished. */
  checkpoint: string;
}

export interface RunStatus {
  /** "training" while a process holds the folder, "finished" with a summary of all generations. */
  state: "training" | "finished" | "unfinished";
  /** Generations with a result. */
  finished: number;
  generations: number;
}

/** One run's folder on the disk, as `docs` describe it; all files in it appear whole or not at all. */
export class RunFolder {
  readonly #release: (() => Promise<void>) | undefined;

  private constructor(
    /** Absolute. */
    readonly directory: string,
    readonly recipe: Recipe,
    release?: () => Promise<void>,
  ) {
    this.#release = release;
  }

  /** Whether a run was begun there: its recipe is written last of what a beginning writes. */
  static async isBegun(directory: string): Promise<boolean> {
    const files: string[] = await readdir(resolve(directory)).catch(() => []);
    return files.includes("recipe.yaml");
  }

  /** Whether a run may begin there: nothing is there, or no more than what a beginning that was killed has left. */
  static async isFree(directory: string): Promise<boolean> {
    const files = await readdir(resolve(directory)).catch((error) => (error.code === "ENOENT" ? [] : ["?"]));
    return files.every(isLeftover);
  }

  /**
   * Makes the folder and holds it until `close`. A folder that is empty, or in which a process was killed before it had
   * written the recipe, is taken as well.
   *
   * @throws Error when there is something else in it already, or another process is at work in it
   */
  static async create(directory: string, recipe: Recipe, environment: Environment): Promise<RunFolder> {
    const path = resolve(directory);
    await mkdir(path, { recursive: true });
    if (!(await RunFolder.isFree(path)))
      throw new Error(
        `${directory}: is not empty; choose another name, or go on with it: \`resume: true\` in code, ` +
          `npx lyceum train --resume ${directory} for a recipe`,
      );
    return hold(path, async (release) => {
      for (const file of await readdir(path))
        if (isLeftover(file) && file !== ".lock") await rm(join(path, file), { force: true });
      await writeAtomic(
        join(path, "environment.json"),
        toJson({ format: RUN_FORMAT, ...environment, recipe: fingerprint(recipe), resumed: [] }),
      );
      await writeAtomic(join(path, "recipe.yaml"), recipeToYaml(recipe));
      await syncFolder(join(path, ".."));
      return new RunFolder(path, recipe, release);
    });
  }

  /**
   * Opens a run to read it; nothing is written and nothing locked.
   *
   * @param imports what names in its recipe may mean, beside Lyceum's own definitions
   * @throws Error that says what is missing when it is no run, or names the file that it was made with
   */
  static async open(directory: string, imports: Imports = []): Promise<RunFolder> {
    const path = resolve(directory);
    try {
      const recipe = await readRecipe(path, directory, libraryOf(imports));
      return new RunFolder(path, recipe);
    } catch (error) {
      // Names that only a missing file explains would look like mistakes in the recipe.
      const noted = await readImports(path);
      askForImports(directory, noted, imports);
      throw error;
    }
  }

  /**
   * Opens a run to go on with it, and holds it until `close`.
   *
   * @param environment of this sitting; noted beside the first one's
   * @param imports what names in its recipe may mean, beside Lyceum's own definitions
   * @throws Error when it is no run, holds links, another process is at work in it, its recipe was changed, or a file
   *   that it imported is missing or another one now
   */
  static async resume(
    directory: string,
    environment: Environment,
    imports: Imports = [],
  ): Promise<RunFolder> {
    const path = resolve(directory);
    const { recipe } = await RunFolder.open(directory, imports);
    await refuseLinks(path, directory);
    return hold(path, async (release) => {
      const run = new RunFolder(path, recipe, release);
      const first = await run.readEnvironment();
      const found = fingerprint(recipe);
      if (first?.recipe !== undefined && first.recipe !== found)
        throw new Error(
          `${directory}: recipe.yaml is not what the run began with (only ${CHANGEABLE} may change): ` +
            "put it back, or start a new run",
        );
      checkImports(directory, first?.imports ?? [], imports);
      const resumed = [...(first?.resumed ?? []), environment].slice(-100);
      const noted = { format: RUN_FORMAT, ...(first ?? environment), recipe: found, resumed };
      await writeAtomic(join(path, "environment.json"), toJson(noted));
      return run;
    });
  }

  /**
   * Asks for the files that the run was made with, for those who need what they define.
   *
   * @throws Error that names the first one which is not given
   */
  async askForImports(given: Imports): Promise<void> {
    askForImports(this.directory, (await this.readEnvironment())?.imports ?? [], given);
  }

  /**
   * @throws Error that names the keys in which a recipe is not the one of a run; those that may change are left out
   */
  static checkSame(directory: string, stored: Recipe, given: Recipe): void {
    if (fingerprint(stored) === fingerprint(given)) return;
    throw new Error(
      `${directory}: was begun with another recipe, which differs in ${differingKeys(stored, given).join(", ")}: ` +
        "give that recipe, or another name",
    );
  }

  /** Gives the folder back to other processes. */
  async close(): Promise<void> {
    await this.#release?.();
  }

  generation(n: number): GenerationPaths {
    if (!Number.isInteger(n) || n < 0)
      throw new RangeError(`a generation's number must be 0 or more, got ${n}`);
    const directory = join(this.directory, `generation-${n}`);
    return {
      directory,
      weights: join(directory, "weights.safetensors"),
      testLogits: join(directory, "test-logits.safetensors"),
      checkpoint: join(directory, "checkpoint"),
    };
  }

  /** Appends one line to metrics.jsonl; on the disk when the promise resolves. */
  async appendMetrics(record: EpochRecord): Promise<void> {
    await appendRecord(join(this.directory, "metrics.jsonl"), record);
  }

  /** All epochs' records in order; see `readRecords` for what is tolerated. */
  async readMetrics(): Promise<EpochRecord[]> {
    return readRecords(join(this.directory, "metrics.jsonl"));
  }

  /** Writes what is known of the finished generations, with the versions of format and software. */
  async writeSummary(summary: Omit<Summary, "format" | "lyceum">): Promise<void> {
    const stamped = { format: RUN_FORMAT, lyceum: lyceumVersion(), ...summary };
    await writeAtomic(join(this.directory, "summary.json"), toJson(stamped));
  }

  /**
   * What is known of the generations finished so far.
   *
   * @throws Error when the file is not what Lyceum writes
   */
  async readSummary(): Promise<Summary | undefined> {
    return readJson(this.directory, "summary.json", summarySchema());
  }

  /** The first sitting's environment, and those of the sittings that went on. */
  async readEnvironment(): Promise<z.infer<ReturnType<typeof sittingsSchema>> | undefined> {
    return readJson(this.directory, "environment.json", sittingsSchema());
  }

  async status(): Promise<RunStatus> {
    const finished = (await this.readSummary())?.generations.length ?? 0;
    const { generations } = this.recipe;
    const training = await isLocked(join(this.directory, ".lock"));
    const state = training ? "training" : finished >= generations ? "finished" : "unfinished";
    return { state, finished, generations };
  }

  /** Removes a finished generation's checkpoint. */
  async removeCheckpoint(n: number): Promise<void> {
    await rm(this.generation(n).checkpoint, { recursive: true, force: true });
  }
}

/** A JSON file of the folder, checked; undefined where it is not there. */
async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = join(folder, name);
  const json = await readBoundedText(path, { maxBytes: MAX_JSON_BYTES }).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return json === undefined ? undefined : parseJson(json, schema, path, checkRunFormat);
}

const sittingsSchema = schema((z) =>
  environmentSchema().extend({
    /** The fingerprint of the recipe that the run began with. */
    recipe: z.string().max(100).exactOptional(),
    resumed: z.array(environmentSchema()).max(100).default([]),
  }),
);

/** Takes the folder's lock, and gives it back at once where the folder then cannot be used. */
async function hold(
  path: string,
  use: (release: () => Promise<void>) => Promise<RunFolder>,
): Promise<RunFolder> {
  const release = await acquireLock(join(path, ".lock"));
  try {
    return await use(release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** The files that a run's environment notes; none where that cannot be read, which another error will say. */
async function readImports(path: string): Promise<readonly Import[]> {
  const environment = await readJson(path, "environment.json", sittingsSchema()).catch(() => undefined);
  return environment?.imports ?? [];
}

/** What a process may leave that was killed before it had written the recipe: no work is lost with it. */
function isLeftover(file: string): boolean {
  return file.startsWith(".lock") || /^\..*\.tmp$/.test(file) || file === "environment.json";
}

async function readRecipe(path: string, shown: string, library: Library): Promise<Recipe> {
  const files = await readdir(path).catch((error) => {
    const why =
      error.code === "ENOENT" ? "there is no such folder" : error.code === "ENOTDIR" ? "not a folder" : error;
    throw new Error(`${shown}: is not a run: ${why}`);
  });
  if (!files.includes("recipe.yaml")) {
    const begun = files.length > 0 && files.every(isLeftover);
    throw new Error(
      begun
        ? `${shown}: holds no run yet: it was stopped before its recipe was written; train with --name again`
        : `${shown}: is not a run: it holds no recipe.yaml`,
    );
  }
  return loadStoredRecipe(join(path, "recipe.yaml"), library);
}

/** Going on writes and removes files: through a link in a folder from anyone, those would be others' files. */
async function refuseLinks(path: string, shown: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const link = entries.find((entry) => entry.isSymbolicLink());
  if (link)
    throw new Error(
      `${shown}: ${link.name} is a link; a run goes on only in files that are its folder's own`,
    );
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
