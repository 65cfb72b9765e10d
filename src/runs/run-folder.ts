import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import { schema } from "../packages.js";
import {
  type Library,
  loadStoredRecipe,
  namesBeyond,
  type Recipe,
  RecipeError,
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
import { refuseLinks } from "./refuse-links.js";
import { checkRunFormat, RUN_FORMAT } from "./run-format.js";
import type { EpochRecord, Summary } from "./types.js";

const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** The absolute paths of a generation's files. They follow from its number and are never read from a file. */
export interface GenerationPaths {
  directory: string;
  weights: string;
  testLogits: string;
  /** The folder of the checkpoint, which exists only while the generation is unfinished. */
  checkpoint: string;
}

export interface RunStatus {
  /** "training" while a process holds the folder, "finished" when all generations have a result. */
  state: "training" | "finished" | "unfinished";
  /** The number of generations that have a result. */
  finished: number;
  /** The number of generations that the recipe asks for. */
  generations: number;
}

/**
 * One run's folder on the disk, as docs/run-folder.md describes it. All files in it appear whole or not at
 * all.
 */
export class RunFolder {
  readonly #release: (() => Promise<void>) | undefined;

  private constructor(
    /** The folder's absolute path. */
    readonly directory: string,
    readonly recipe: Recipe,
    release?: () => Promise<void>,
  ) {
    this.#release = release;
  }

  /**
   * Tells whether a run was begun in a folder: it was when there is a recipe, which a new run writes last.
   */
  static async isBegun(directory: string): Promise<boolean> {
    const files: string[] = await readdir(resolve(directory)).catch(() => []);
    return files.includes("recipe.yaml");
  }

  /**
   * Tells whether a run may begin in a folder: the folder is missing, empty, or holds only what a process
   * leaves that was killed before it had written the recipe.
   */
  static async isFree(directory: string): Promise<boolean> {
    const files = await readdir(resolve(directory)).catch((error) => (error.code === "ENOENT" ? [] : ["?"]));
    return files.every(isLeftover);
  }

  /**
   * Begins a run: makes its folder, writes environment and recipe, and holds the folder until `close`. The
   * folder may be there already if it is free (see {@link isFree}); what a killed process has left in it is
   * removed.
   *
   * @throws Error when the folder holds anything else, or another process is at work in it
   */
  static async create(directory: string, recipe: Recipe, environment: Environment): Promise<RunFolder> {
    const path = resolve(directory);
    await mkdir(path, { recursive: true });
    const checkFree = async () => {
      if (await RunFolder.isFree(path)) return;
      throw new Error(
        `${directory}: is not empty; choose another name, or go on with it: \`resume: true\` in code, ` +
          `npx lyceum train --resume ${directory} for a recipe`,
      );
    };
    await checkFree();
    return hold(path, async (release) => {
      // Another process may have begun a run here before this one held the lock.
      await checkFree();
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
   * @param imports what its recipe can name beside Lyceum's own definitions
   * @throws Error that says what is missing when the folder is no run, or names the imported file that the
   *   run was made with and that is not given; RecipeError when the stored recipe is wrong
   */
  static async open(directory: string, imports: Imports = []): Promise<RunFolder> {
    const path = resolve(directory);
    try {
      const recipe = await readRecipe(path, directory, libraryOf(imports));
      return new RunFolder(path, recipe);
    } catch (error) {
      // Where an imported file is missing, its names in the recipe look like mistakes: the missing file is
      // the true reason.
      const noted = await readImports(path);
      askForImports(directory, noted, imports);
      const foreign = await namesOf(path, directory, libraryOf(imports));
      if (!(error instanceof RecipeError) || foreign.length === 0) throw error;
      throw new RecipeError(
        `${error.message}\nIf code made the run and defines ${foreign.join(", ")} itself: give what it defines as ` +
          "`imports`, or the file by --import",
      );
    }
  }

  /**
   * Opens a run to read it, as `open` does, for callers that need none of the definitions which its recipe
   * names. Names that nothing defines are accepted.
   *
   * @throws Error that says what is missing when the folder is no run; RecipeError when the stored recipe is
   *   wrong
   */
  static async look(directory: string): Promise<RunFolder> {
    const path = resolve(directory);
    return new RunFolder(path, await readRecipe(path, directory, libraryOf([]), { anyNames: true }));
  }

  /**
   * Opens a run to go on with it, and holds its folder until `close`.
   *
   * @param environment that of this process, which is recorded after those of the processes that worked on
   *   the run before
   * @param imports what its recipe can name beside Lyceum's own definitions
   * @throws Error when the folder is no run or holds symbolic links, when another process is at work in it,
   *   when its recipe was changed, or when an imported file is missing or was changed
   */
  static async resume(
    directory: string,
    environment: Environment,
    imports: Imports = [],
  ): Promise<RunFolder> {
    const path = resolve(directory);
    const { recipe } = await RunFolder.open(directory, imports);
    await refuseLinks(path, directory, "a run");
    return hold(path, async (release) => {
      await removeTemporary(path);
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
   * Checks that the imported files which the run was made with are given again, for callers that need their
   * definitions.
   *
   * @throws Error that names the first file which is missing
   */
  async askForImports(given: Imports): Promise<void> {
    askForImports(this.directory, (await this.readEnvironment())?.imports ?? [], given);
  }

  /**
   * Checks that a recipe is the one that a run was begun with, apart from the keys that may change while it
   * goes on.
   *
   * @throws Error that names the keys in which the recipes differ
   */
  static checkSame(directory: string, stored: Recipe, given: Recipe): void {
    if (fingerprint(stored) === fingerprint(given)) return;
    throw new Error(
      `${directory}: was begun with another recipe, which differs in ${differingKeys(stored, given).join(", ")}: ` +
        "give that recipe, or another name",
    );
  }

  /** Releases the folder, so that another process can go on with the run. */
  async close(): Promise<void> {
    await this.#release?.();
  }

  /**
   * Says where the files of a generation lie, whether they exist or not.
   *
   * @throws RangeError when the number is no whole number from 0
   */
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

  /** Appends one line to metrics.jsonl, which is on the disk when the promise resolves. */
  async appendMetrics(record: EpochRecord): Promise<void> {
    await appendRecord(join(this.directory, "metrics.jsonl"), record);
  }

  /**
   * Reads the records of all epochs, in order, leaving out lines that a crash has torn; see
   * docs/run-folder.md.
   */
  async readMetrics(): Promise<EpochRecord[]> {
    return readRecords(join(this.directory, "metrics.jsonl"));
  }

  /**
   * Writes summary.json: the results of the finished generations, with the versions of format and software.
   */
  async writeSummary(summary: Omit<Summary, "format" | "lyceum">): Promise<void> {
    const stamped = { format: RUN_FORMAT, lyceum: lyceumVersion(), ...summary };
    await writeAtomic(join(this.directory, "summary.json"), toJson(stamped));
  }

  /**
   * Changes summary.json, for work on a run whose training has ended or is interrupted. The folder is held meanwhile.
   *
   * @throws Error when another process is at work in the folder, or no generation is finished
   */
  async changeSummary(change: (summary: Summary) => Summary): Promise<void> {
    const release = await acquireLock(join(this.directory, ".lock"));
    try {
      const summary = await this.readSummary();
      if (!summary) throw new Error(`${this.directory}: no generation is finished yet`);
      await this.writeSummary(change(summary));
    } finally {
      await release();
    }
  }

  /**
   * Reads the results of the generations finished so far.
   *
   * @returns undefined before the first one is finished
   * @throws Error that names the file and the first problem when it is of another format or damaged
   */
  async readSummary(): Promise<Summary | undefined> {
    return readJson(this.directory, "summary.json", summarySchema());
  }

  /**
   * Reads environment.json: the environment of the process that began the run, and those of the processes
   * that resumed it.
   *
   * @returns undefined where the file is not there
   * @throws Error that names the file and the first problem when it is of another format or damaged
   */
  async readEnvironment(): Promise<z.infer<ReturnType<typeof sittingsSchema>> | undefined> {
    return readJson(this.directory, "environment.json", sittingsSchema());
  }

  /** Tells how far the run has come, and whether a process is at work in it. */
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

/** Reads and checks a JSON file of the folder; undefined where the file is not there. */
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
    /** The environments of the processes that resumed the run, in order; only the last 100 are kept. */
    resumed: z.array(environmentSchema()).max(100).default([]),
  }),
);

/** Acquires the folder's lock, and releases it at once when the folder then turns out to be unusable. */
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

/** The names in a run's recipe that a library lacks; none where the recipe is wrong for more than that. */
async function namesOf(path: string, shown: string, library: Library): Promise<string[]> {
  const recipe = await readRecipe(path, shown, library, { anyNames: true }).catch(() => undefined);
  return recipe ? namesBeyond(recipe, library) : [];
}

/**
 * Reads which imported files a run has recorded. None are given where the environment cannot be read: the
 * caller has another error to report in that case.
 */
async function readImports(path: string): Promise<readonly Import[]> {
  const environment = await readJson(path, "environment.json", sittingsSchema()).catch(() => undefined);
  return environment?.imports ?? [];
}

/**
 * Tells whether a file is one that a process may leave which was killed before it had written the recipe.
 * Nothing is trained by then, so that such files can be removed.
 */
function isLeftover(file: string): boolean {
  return file.startsWith(".lock") || /^\..*\.tmp$/.test(file) || file === "environment.json";
}

async function readRecipe(
  path: string,
  shown: string,
  library: Library,
  options: { anyNames?: boolean } = {},
): Promise<Recipe> {
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
  return loadStoredRecipe(join(path, "recipe.yaml"), library, options);
}

/**
 * Removes the temporary files of processes that were killed while they wrote. Nothing ever reads them, and
 * each can be as large as a network.
 */
async function removeTemporary(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  const generations = entries.filter((entry) => entry.isDirectory() && /^generation-\d+$/.test(entry.name));
  for (const folder of [path, ...generations.map(({ name }) => join(path, name))]) {
    for (const file of await readdir(folder))
      if (/\.\d+(\.[0-9a-f]{8})?\.tmp$/.test(file)) await rm(join(folder, file), { force: true });
  }
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
