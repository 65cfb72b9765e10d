/** What was computed of ensembles before, so that a study's table need not be computed anew each time it is shown. */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { parseJson, sha256Of, type TestResult, testResultSchema, writeAtomic } from "../runs/index.js";

const MAX_BYTES = 64 * 1024 * 1024;
/** Files above this size are not hashed: they hold no scores. */
const MAX_SCORES_BYTES = 1024 * 1024 * 1024;

const cacheSchema = schema((z) =>
  z.object({ program: z.string(), results: z.record(z.string(), testResultSchema()) }),
);

/**
 * The results of ensembles by what they were computed of: the content of the members' scores, and the program.
 * They lie in the study's folder for work, which is never committed. All of it can be lost without harm.
 */
export class EnsembleCache {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, TestResult>;
  readonly #used = new Map<string, TestResult>();
  readonly #hashes = new Map<string, string | undefined>();

  private constructor(path: string, known: ReadonlyMap<string, TestResult>) {
    this.#path = path;
    this.#known = known;
  }

  /** Reads what is kept in a study's folder for work; nothing where it is of another program, or damaged. */
  static async open(work: string): Promise<EnsembleCache> {
    const path = join(work, "ensembles.json");
    try {
      const cache = parseJson(await readBoundedText(path, { maxBytes: MAX_BYTES }), cacheSchema(), path);
      if (cache.program === thisProgram())
        return new EnsembleCache(path, new Map(Object.entries(cache.results)));
    } catch {
      // It is computed again.
    }
    return new EnsembleCache(path, new Map());
  }

  /**
   * Gives what was computed of these scores before, or computes it.
   *
   * @param scores the paths of the members' scores
   * @param about what else decides the result
   */
  get(scores: readonly string[], about: unknown, compute: () => TestResult): TestResult {
    const hashes = scores.map((path) => this.#hashOf(path));
    if (hashes.includes(undefined)) return compute();
    const key = sha256Of([hashes, about]);
    const result = this.#used.get(key) ?? this.#known.get(key) ?? compute();
    this.#used.set(key, result);
    return result;
  }

  /** Keeps what was used, where there is a folder for work that can be written to. */
  async save(): Promise<void> {
    const isNew = [...this.#used.keys()].some((key) => !this.#known.has(key));
    // Through a link nothing is written: a folder of results may have come from someone else.
    if (!isNew || !lstatSync(dirname(this.#path), { throwIfNoEntry: false })?.isDirectory()) return;
    const cache = { program: thisProgram(), results: Object.fromEntries(this.#used) };
    await writeAtomic(this.#path, JSON.stringify(cache)).catch(() => {});
  }

  #hashOf(path: string): string | undefined {
    if (!this.#hashes.has(path)) this.#hashes.set(path, hashOf(path));
    return this.#hashes.get(path);
  }
}

/** Computes the SHA-256 of a file of scores; undefined where it is none, which whoever reads it will say. */
function hashOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > MAX_SCORES_BYTES) return undefined;
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Names this build of the program, since another one may compute other numbers. */
function thisProgram(): string {
  const file = fileURLToPath(import.meta.url);
  return `${file} of ${statSync(file).mtime.toISOString()}`;
}
