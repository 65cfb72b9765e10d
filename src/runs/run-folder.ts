import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import { schema } from "../packages.js";
import { loadStoredRecipe, type Recipe, readBoundedText, recipeToYaml } from "../recipe/index.js";
import { syncFolder, writeAtomic } from "./atomic.js";
import { type Environment, environmentSchema } from "./environment.js";
import { CHANGEABLE, fingerprint } from "./fingerprint.js";
import { parseJson, summarySchema } from "./formats.js";
import { acquireLock, isLocked } from "./lock.js";
import { appendRecord, readRecords } from "./metrics-log.js";
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

  /**
   * Makes the folder, or takes an empty one, and holds it until `close`.
   *
   * @throws Error when there is something in it already
   */
  static async create(directory: string, recipe: Recipe, environment: Environment): Promise<RunFolder> {
    const path = resolve(directory);
    await mkdir(path, { recursive: true });
    if ((await readdir(path)).length > 0)
      throw new Error(
        `${directory}: is not empty; choose another name, or go on with it: \`resume: true\` in code, ` +
          `npx lyceum train --resume ${directory} for a recipe`,
      );
    return hold(path, async (release) => {
      await writeAtomic(
        join(path, "environment.json"),
        toJson({ ...environment, recipe: fingerprint(recipe), resumed: [] }),
      );
      await writeAtomic(join(path, "recipe.yaml"), recipeToYaml(recipe));
      await syncFolder(join(path, ".."));
      return new RunFolder(path, recipe, release);
    });
  }

  /**
   * Opens a run to read it; nothing is written and nothing locked.
   *
   * @throws Error that says what is missing when it is no run
   */
  static async open(directory: string): Promise<RunFolder> {
    const path = resolve(directory);
    return new RunFolder(path, await readRecipe(path, directory));
  }

  /**
   * Opens a run to go on with it, and holds it until `close`.
   *
   * @param environment of this sitting; noted beside the first one's
   * @throws Error when it is no run, holds links, another process is at work in it, or its recipe was changed
   */
  static async resume(directory: string, environment: Environment): Promise<RunFolder> {
    const path = resolve(directory);
    const recipe = await readRecipe(path, directory);
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
      const resumed = [...(first?.resumed ?? []), environment].slice(-100);
      const noted = { ...(first ?? environment), recipe: found, resumed };
      await writeAtomic(join(path, "environment.json"), toJson(noted));
      return run;
    });
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

  async writeSummary(summary: Summary): Promise<void> {
    await writeAtomic(join(this.directory, "summary.json"), toJson(summary));
  }

  /**
   * What is known of the generations finished so far.
   *
   * @throws Error when the file is not what Lyceum writes
   */
  async readSummary(): Promise<Summary | undefined> {
    return this.#readJson("summary.json", summarySchema());
  }

  /** The first sitting's environment, and those of the sittings that went on. */
  async readEnvironment(): Promise<z.infer<ReturnType<typeof sittingsSchema>> | undefined> {
    return this.#readJson("environment.json", sittingsSchema());
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

  async #readJson<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const path = join(this.directory, name);
    const json = await readBoundedText(path, { maxBytes: MAX_JSON_BYTES }).catch((error) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return json === undefined ? undefined : parseJson(json, schema, path);
  }
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

async function readRecipe(path: string, shown: string): Promise<Recipe> {
  const files = await readdir(path).catch((error) => {
    const why =
      error.code === "ENOENT" ? "there is no such folder" : error.code === "ENOTDIR" ? "not a folder" : error;
    throw new Error(`${shown}: is not a run: ${why}`);
  });
  if (!files.includes("recipe.yaml")) throw new Error(`${shown}: is not a run: it holds no recipe.yaml`);
  return loadStoredRecipe(join(path, "recipe.yaml"));
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
