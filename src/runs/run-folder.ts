import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeLeftovers } from "../leftovers.js";
import { type Recipe, RecipeError, readBoundedText, recipeToYaml } from "../recipe/index.js";
import { syncFolder, writeAtomic } from "./atomic.js";
import { type Environment, lyceumVersion } from "./environment.js";
import {
  changesThatHold,
  MAX_JSON_BYTES,
  readJson,
  type Sittings,
  sittingsSchema,
} from "./environment-file.js";
import { differingKeys, fingerprint, sha256Of } from "./fingerprint.js";
import { summarySchema } from "./formats.js";
import { askForImports, checkImports, type Imports, libraryOf } from "./imports.js";
import { checksumOf, hasOwnChecksum } from "./json-checksum.js";
import { acquireLock, isLocked, type Lock } from "./lock.js";
import { appendRecord, readLog, readRecords } from "./metrics-log.js";
import { refuseLinks } from "./refuse-links.js";
import { RUN_FORMAT } from "./run-format.js";
import { differencesOfBits } from "./sittings.js";
import { isLeftover, namesOf, readImports, readRecipe } from "./stored-recipe.js";
import type { EpochRecord, Summary } from "./types.js";
import { checkMayGoOn } from "./versions.js";

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
  readonly #lock: Lock | undefined;
  /** Whether this process only reads what another one writes, which trains with it. */
  readonly follows: boolean;
  #recipe: Recipe;
  readonly #notes: string[] = [];

  private constructor(
    /** The folder's absolute path. */
    readonly directory: string,
    recipe: Recipe,
    lock?: Lock,
    follows = false,
  ) {
    this.#recipe = recipe;
    this.#lock = lock;
    this.follows = follows;
  }

  /** The recipe by which the run goes. */
  get recipe(): Recipe {
    return this.#recipe;
  }

  /** What a person should know of a run that goes on, such as that it does so on another machine: a sentence each. */
  get notes(): readonly string[] {
    return this.#notes;
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
    return hold(path, async (lock) => {
      // Another process may have begun a run here before this one held the lock.
      await checkFree();
      for (const file of await readdir(path))
        if (isLeftover(file) && file !== ".lock") await rm(join(path, file), { force: true });
      await writeAtomic(
        join(path, "environment.json"),
        toJson({
          format: RUN_FORMAT,
          ...environment,
          recipe: fingerprint(recipe),
          recipeFile: sha256Of(recipeToYaml(recipe)),
          generations: recipe.generations,
          resumed: [],
        }),
      );
      await writeAtomic(join(path, "recipe.yaml"), recipeToYaml(recipe));
      await syncFolder(join(path, ".."));
      return new RunFolder(path, recipe, lock);
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
   * Opens a run that the first of several processes holds, for the others that train with it: they read its files, and all
   * that would be written is left to the first.
   *
   * @param recipe the recipe by which it goes on, as the first process has it
   * @throws Error when this process does not see the folder
   */
  static follow(directory: string, recipe: Recipe): RunFolder {
    const path = resolve(directory);
    if (existsSync(join(path, "recipe.yaml"))) return new RunFolder(path, recipe, undefined, true);
    throw new Error(
      `${path}: this process sees no run there, in which rank 0 writes: the run's folder must be on a file system that all ` +
        "processes share",
    );
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
   * Opens a run to go on with it, and holds its folder until `close`. What a killed process has half written is removed.
   *
   * @param environment that of this process, which is recorded after those of the processes that worked on
   *   the run before
   * @param imports what its recipe can name beside Lyceum's own definitions
   * @throws Error when the folder is no run or holds symbolic links, when another process is at work in it, when a newer version of
   *   Lyceum has worked on it, when its recipe was changed or its summary is damaged, or when an imported file is missing or was
   *   changed
   */
  static async resume(
    directory: string,
    environment: Environment,
    imports: Imports = [],
  ): Promise<RunFolder> {
    const path = resolve(directory);
    const { recipe } = await RunFolder.open(directory, imports);
    await refuseLinks(path, directory, "a run");
    return hold(path, async (lock) => {
      await removeLeftovers(path, { recursive: true, alone: true });
      const run = new RunFolder(path, recipe, lock);
      // What a killed process has told of itself is not so any more.
      await rm(run.progressFile, { force: true }).catch(() => {});
      const first = await run.readEnvironment();
      const summary = await run.readSummary();
      const writers = [first, ...(first?.resumed ?? [])].map((written) => written?.lyceum);
      checkMayGoOn(join(directory, "environment.json"), writers);
      checkMayGoOn(join(directory, "summary.json"), [summary?.lyceum]);
      await run.#checkSummary();
      const found = fingerprint(recipe);
      const changes = changesThatHold(directory, found, first);
      checkImports(directory, first?.imports ?? [], imports);
      const last = first?.resumed.at(-1) ?? first;
      const moved = last ? differencesOfBits(last, environment) : [];
      if (moved.length > 0)
        run.#notes.push(
          `the run goes on with ${moved.join(", ")}: from here on its numbers need not be, bit for bit, those with which it would ` +
            "have gone on as before",
        );
      const recipeFile = sha256Of(await readFile(join(path, "recipe.yaml"), "utf8"));
      if (first?.recipeFile !== undefined && first.recipeFile !== recipeFile)
        run.#notes.push(
          `${join(directory, "recipe.yaml")}: was edited since a process was last at work on the run; what its networks have learnt ` +
            "from is as it was",
        );
      const resumed = [...(first?.resumed ?? []), environment].slice(-100);
      const noted = {
        format: RUN_FORMAT,
        ...(first ?? { ...environment, generations: recipe.generations }),
        recipe: first?.recipe ?? found,
        recipeFile,
        ...(changes.length > 0 && { changes }),
        resumed,
      };
      await writeAtomic(join(path, "environment.json"), toJson(noted));
      return run;
    });
  }

  /**
   * Changes the recipe by which the run goes on. The caller has checked that it says the truth of what is trained already.
   *
   * @param firstGeneration the first generation that is trained by it
   */
  async change(recipe: Recipe, firstGeneration: number): Promise<void> {
    if (this.follows) return;
    const environment = await this.readEnvironment();
    const before = { ...this.#recipe, generations: environment?.generations ?? this.#recipe.generations };
    const keys = (Object.keys({ ...before, ...recipe }) as (keyof Recipe)[]).filter(
      (key) => JSON.stringify(before[key]) !== JSON.stringify(recipe[key]),
    );
    if (keys.length === 0) return;
    const change = {
      date: new Date().toISOString(),
      firstGeneration,
      keys,
      generations: recipe.generations,
      epochs: recipe.epochs,
      recipe: fingerprint(recipe),
    };
    if (environment) {
      const changes = [...(environment.changes ?? []), change].slice(-100);
      const recipeFile = sha256Of(recipeToYaml(recipe));
      const noted = {
        format: RUN_FORMAT,
        ...environment,
        generations: recipe.generations,
        recipeFile,
        changes,
      };
      await writeAtomic(join(this.directory, "environment.json"), toJson(noted));
    }
    // A process that is killed here leaves the recipe as it was, which is still accepted.
    await writeAtomic(join(this.directory, "recipe.yaml"), recipeToYaml(recipe));
    this.#notes.push(
      `from generation ${firstGeneration} on: ${keys.map((key) => `${key} ${shown(recipe[key])} (before: ${shown(before[key])})`).join(", ")}`,
    );
    this.#recipe = recipe;
  }

  /**
   * Tells how many generations the recipe asked for when a process was last at work on the run; a person may have edited the recipe
   * since. Undefined for runs of versions that did not note it.
   */
  async notedGenerations(): Promise<number | undefined> {
    return (await this.readEnvironment())?.generations;
  }

  /** @throws Error that names summary.json when its numbers are not those that were written */
  async #checkSummary(): Promise<void> {
    const path = join(this.directory, "summary.json");
    const text = await readBoundedText(path, { maxBytes: MAX_JSON_BYTES }).catch((error) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined || hasOwnChecksum(JSON.parse(text))) return;
    throw new Error(
      `${path}: damaged: its numbers are not those that were written, by its checksum; restore it from a copy, or, where a person ` +
        'changed it on purpose, take the line "checksum" out',
    );
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
    await this.#lock?.release();
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

  /** The path of progress.json, which is there while the run is in training. */
  get progressFile(): string {
    return join(this.directory, "progress.json");
  }

  /** Appends one line to metrics.jsonl, which is on the disk when the promise resolves. */
  async appendMetrics(record: EpochRecord): Promise<void> {
    if (this.follows) return;
    await this.#assertUsable();
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
   * Compares the log with how far the run has come. Nothing but the curves of the report depends on the log, so that a training goes on
   * without what is missing in it.
   *
   * @param epochs the epochs for which each finished generation was trained
   * @param underWay the epochs that the generation after them has done
   * @returns a sentence where epochs are missing, which names the file and, where there are any, its damaged lines
   */
  async epochsLackingInLog(epochs: readonly number[], underWay: number): Promise<string[]> {
    const path = join(this.directory, "metrics.jsonl");
    const { records, damaged } = await readLog(path);
    const there = new Set(records.map(({ generation, epoch }) => `${generation} ${epoch}`));
    const lacking = [...epochs, underWay].flatMap((count, generation) =>
      Array.from({ length: count }, (_, i) => i + 1)
        .filter((epoch) => !there.has(`${generation} ${epoch}`))
        .map((epoch) => `${epoch} of generation ${generation}`),
    );
    if (lacking.length === 0) return [];
    const many = lacking.length > 3 ? ` and ${lacking.length - 3} more` : "";
    const lines = damaged.length > 0 ? ` (damaged: line ${damaged.slice(0, 3).join(", ")})` : "";
    return [
      `${path}: lacks epoch ${lacking.slice(0, 3).join(", ")}${many}${lines}: the report's curves lack them too, and nothing else ` +
        "depends on them",
    ];
  }

  /** @throws Error when the folder was taken away, or another process has taken its lock over */
  async #assertUsable(): Promise<void> {
    if (!existsSync(this.directory))
      throw new Error(
        `${this.directory}: the run's folder is gone, and with it what was trained: if it was moved, go on with it there ` +
          "(npx lyceum train --resume)",
      );
    await this.#lock?.assertHeld();
  }

  /**
   * Writes summary.json: the results of the finished generations, with the versions of format and software.
   */
  async writeSummary(summary: Omit<Summary, "format" | "lyceum">): Promise<void> {
    if (this.follows) return;
    await this.#assertUsable();
    const stamped = {
      format: RUN_FORMAT,
      lyceum: lyceumVersion(),
      ...summary,
      checksum: checksumOf({ format: RUN_FORMAT, ...summary }),
    };
    await writeAtomic(join(this.directory, "summary.json"), toJson(stamped));
  }

  /**
   * Changes summary.json, for work on a run whose training has ended or is interrupted. The folder is held meanwhile.
   *
   * @throws Error when another process is at work in the folder, or no generation is finished
   */
  async changeSummary(change: (summary: Summary) => Summary): Promise<void> {
    const lock = await acquireLock(join(this.directory, ".lock"));
    try {
      const summary = await this.readSummary();
      if (!summary) throw new Error(`${this.directory}: no generation is finished yet`);
      checkMayGoOn(join(this.directory, "summary.json"), [summary.lyceum]);
      await this.writeSummary(change(summary));
    } finally {
      await lock.release();
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
  async readEnvironment(): Promise<Sittings | undefined> {
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
    if (!this.follows) await rm(this.generation(n).checkpoint, { recursive: true, force: true });
  }
}

/** Acquires the folder's lock, and releases it at once when the folder then turns out to be unusable. */
async function hold(path: string, use: (lock: Lock) => Promise<RunFolder>): Promise<RunFolder> {
  const lock = await acquireLock(join(path, ".lock"));
  try {
    return await use(lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Writes a recipe's value for a person. */
const shown = (value: unknown) =>
  value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
