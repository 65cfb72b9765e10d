/** The results of transfers in a run's folder: `transfer/NAME.json`, which docs/run-folder.md describes. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { otherFormat, parseJson, refuseLinkAt, writeAtomic } from "../runs/index.js";
import { type Scaling, scalings } from "./scaling.js";

/** The version of the file's format. */
const FORMAT = 1;
const MAX_BYTES = 4 * 2 ** 20;
/** More files than this in one folder are not read. */
const MAX_FILES = 100;

/** What a classifier came to on features of one generation: a value for each draw of training images. */
export interface TransferEntry {
  /** Training images of each class; null where all were taken. */
  shots: number | null;
  /** The classifier's name: svm, logistic or knn. */
  classifier: string;
  /** Fractions of the test images that are right. */
  top1: readonly number[];
  /** Means over the classes of the fraction that is right of each. */
  meanClassAccuracy: readonly number[];
  /** The C that cross-validation chose; empty for a classifier without. */
  c: readonly number[];
}

/** The transfer of a run to another data set. */
export interface TransferResult {
  format: typeof FORMAT;
  /** The version of Lyceum that wrote the file. */
  lyceum: string;
  name: string;
  /** The data set, as a recipe's `data`. */
  data: Readonly<Record<string, unknown>>;
  classes: number;
  images: { train: number; test: number };
  /** The layer whose output, or input, are the features, in words. */
  layer: string;
  spatial: "mean" | "flatten";
  scaling: Scaling;
  shots: readonly (number | null)[];
  /** How often training images were drawn. */
  splits: number;
  folds: number;
  seed: number;
  /** When it ended, ISO 8601. */
  date: string;
  seconds: number;
  generations: readonly {
    generation: number;
    role: "patriarch" | "student";
    /** How many features an image has. */
    features: number;
    results: readonly TransferEntry[];
  }[];
}

/** @internal */
export const entrySchema = schema((z) => {
  const fractions = z.array(z.number().min(0).max(1)).min(1).max(1000);
  return z
    .object({
      shots: shotsSchema(),
      classifier: z.string().regex(/^[a-z][\w-]{0,40}$/i),
      top1: fractions,
      meanClassAccuracy: fractions,
      c: z.array(z.number().positive()).max(1000),
    })
    .refine(
      ({ top1, meanClassAccuracy, c }) =>
        top1.length === meanClassAccuracy.length && (c.length === 0 || c.length === top1.length),
      "its lists must be of one length",
    );
});

const shotsSchema = schema((z) => z.int().min(1).max(1_000_000).nullable());

const resultSchema = schema((z) => {
  const text = z.string().max(1000);
  const count = z
    .int()
    .min(0)
    .max(2 ** 31);
  return z.object({
    format: z.literal(FORMAT),
    lyceum: text,
    name: z.string().regex(namePattern),
    data: z.record(text, z.unknown()),
    classes: count,
    images: z.object({ train: count, test: count }),
    layer: text,
    spatial: z.enum(["mean", "flatten"]),
    scaling: z.enum(scalings as [Scaling, ...Scaling[]]),
    shots: z.array(shotsSchema()).min(1).max(100),
    splits: z.int().min(1).max(1000),
    folds: z.int().min(2).max(1000),
    seed: z.int(),
    date: text,
    seconds: z.number().min(0),
    generations: z
      .array(
        z.object({
          generation: z.int().min(0).max(9999),
          role: z.enum(["patriarch", "student"]),
          features: count,
          results: z.array(entrySchema()).min(1).max(1000),
        }),
      )
      .min(1)
      .max(1000)
      .refine(
        (all) => all.every(({ generation }, i) => i === 0 || generation > all[i - 1]!.generation),
        "must be in the order of their numbers, each once",
      ),
  });
});

/** A name of a transfer: that of its file, without `.json`. */
export const namePattern = /^[A-Za-z0-9_][\w.-]{0,99}$/;

const folderOf = (run: string) => join(run, "transfer");

/** Writes a result into a run's folder, in place of one of the same name. @returns the file's path */
export async function writeTransfer(run: string, result: Omit<TransferResult, "format">): Promise<string> {
  await refuseLinkAt(folderOf(run));
  await mkdir(folderOf(run), { recursive: true });
  const path = join(folderOf(run), `${result.name}.json`);
  await writeAtomic(path, `${JSON.stringify({ format: FORMAT, ...result }, null, 2)}\n`);
  return path;
}

/**
 * Reads a result out of a run's folder, which may come from anyone.
 *
 * @returns undefined where there is none of that name
 * @throws Error that names the file and the first problem when it is of another format or damaged
 */
export async function readTransfer(run: string, name: string): Promise<TransferResult | undefined> {
  if (!namePattern.test(name)) return undefined;
  const path = join(folderOf(run), `${name}.json`);
  const json = await readBoundedText(path, { maxBytes: MAX_BYTES }).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (json === undefined) return undefined;
  const result = parseJson(json, resultSchema(), path, checkFormat);
  if (result.name !== name) throw new Error(`${path}: name: is ${result.name}, not that of the file`);
  return result;
}

function checkFormat(value: unknown, path: string): void {
  const { format, lyceum } = (value ?? {}) as { format?: unknown; lyceum?: unknown };
  if (format === FORMAT || format === undefined) return;
  const remedy = "measure again: `lyceum transfer` writes the file anew";
  throw otherFormat(path, { found: format, reads: FORMAT, lyceum, remedy });
}

/** The names of the results in a run's folder, sorted; none where there is no such folder. */
export async function transferNames(run: string): Promise<string[]> {
  const files: string[] = await readdir(folderOf(run)).catch(() => []);
  return files
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .filter((name) => namePattern.test(name))
    .sort()
    .slice(0, MAX_FILES);
}
