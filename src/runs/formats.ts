/** Schemas of the JSON files in a run folder, which are checked because a folder may come from anyone. */
import type { z } from "zod";
import { type Metric, metrics } from "../analysis/index.js";
import { schema } from "../packages.js";
import { RUN_FORMAT } from "./run-format.js";
import type { EpochRecord, Summary, TestResult, TransferSummary } from "./types.js";

/** The most terms of a loss in a record; methods have up to three. */
const MOST_TERMS = 100;

const values = schema((z) => ({
  /** A number, where null stands for NaN: JSON has no NaN, so that a diverged loss is stored as null. */
  number: z.union([z.number(), z.null().transform(() => Number.NaN)]),
  index: z.int().min(0).max(9999),
  role: z.enum(["patriarch", "student"]),
  text: z.string().max(1000),
}));

export const epochRecordSchema = schema((z): z.ZodType<EpochRecord> => {
  const { index, number, role, text } = values();
  return z.object({
    generation: index,
    role,
    epoch: z.int().min(1),
    epochs: z.int().min(1),
    learningRate: number,
    trainLoss: number,
    // A forged record of a hundred thousand terms would be as many curves.
    terms: z.record(text, number).refine((terms) => Object.keys(terms).length <= MOST_TERMS),
    trainTop1: number,
    validation: z
      .object({ loss: number, top1: number, scoreByRank: z.array(number).max(10).exactOptional() })
      .exactOptional(),
    imagesPerSecond: number,
    seconds: number,
    date: text,
  });
});

/**
 * The schema of a test result, with one key for each metric. All but `top1` may be missing, so that a run
 * stays readable when metrics join the table after it was made.
 */
export const testResultSchema = schema((z): z.ZodType<TestResult> => {
  const { number } = values();
  const schemaOf = ({ maxLength }: Metric) =>
    maxLength === undefined ? number : z.array(number).max(maxLength);
  const shape = Object.fromEntries(metrics.map((metric) => [metric.name, schemaOf(metric).exactOptional()]));
  return z.object({ ...shape, top1: number });
});

const withoutK =
  "is not there, so that nobody knows of how many classes the secondary scores are the mean: an earlier version wrote " +
  "this run, and reads it (`commit` in environment.json says which)";

const transferSummarySchema = schema((z) => {
  const { number, text } = values();
  const known = z.object({ name: text, shots: z.int().min(1).nullable() }).catchall(number);
  return known.transform((value) => value as TransferSummary);
});

export const summarySchema = schema((z): z.ZodType<Summary> => {
  const { index, number, role, text } = values();
  return z.object({
    format: z.literal(RUN_FORMAT),
    lyceum: text,
    title: text,
    k: z.int(withoutK).min(2).max(1_000_000),
    generations: z
      .array(
        z.object({
          generation: index,
          role,
          test: testResultSchema(),
          epochs: z.int().min(0).exactOptional(),
          trainSeconds: number,
          weights: text,
          transfer: transferSummarySchema().exactOptional(),
        }),
      )
      .max(1000)
      // Paths of files come from a generation's number, everything else from its position in the list: they
      // must agree.
      .refine(
        (all) => all.every(({ generation }, i) => generation === i),
        "must be numbered from 0, in order",
      ),
    ensembles: z.record(z.string().regex(/^\d{1,4}-\d{1,4}$/), z.object({ test: testResultSchema() })),
    seconds: number,
  });
});

/**
 * Parses a JSON file's text and checks it against a schema.
 *
 * @param path the file, for messages
 * @param checkFormat called with the parsed value before the schema, to throw when it is of another format
 *   version
 * @throws Error that names the file and the first problem found
 */
export function parseJson<T>(
  json: string,
  schema: z.ZodType<T>,
  path: string,
  checkFormat: (value: unknown, path: string) => void = () => {},
): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`${path}: not JSON: ${(error as Error).message}`);
  }
  checkFormat(value, path);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new Error(`${path}: ${issue.path.join(".") || "the file"}: ${issue.message}`);
}
