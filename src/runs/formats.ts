/** Checks of what a run folder's JSON files hold: a folder may come from anyone. */
import type { z } from "zod";
import { schema } from "../packages.js";
import type { EpochRecord, Summary } from "./types.js";

const values = schema((z) => ({
  /** JSON has no NaN: a diverged loss is stored as null. */
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
    terms: z.record(text, number),
    trainTop1: number,
    heldOut: z.object({ loss: number, top1: number }).exactOptional(),
    imagesPerSecond: number,
    seconds: number,
    date: text,
  });
});

export const summarySchema = schema((z): z.ZodType<Summary> => {
  const { index, number, role, text } = values();
  return z.object({
    lyceum: text,
    title: text,
    generations: z
      .array(
        z.object({
          generation: index,
          role,
          test: z.object({
            top1: number,
            top5: number,
            nll: number,
            ece: number,
            meanTopScore: number,
            meanSecondaryScore: number,
            scoreByRank: z.array(number).max(10),
            entropy: number,
            teacherAgreement: number.exactOptional(),
          }),
          trainSeconds: number,
          weights: text,
        }),
      )
      .max(1000)
      // Files are found by the number, everything else by the place in this list.
      .refine(
        (all) => all.every(({ generation }, i) => generation === i),
        "must be numbered from 0, in order",
      ),
    ensembles: z.record(
      z.string().regex(/^\d{1,4}-\d{1,4}$/),
      z.object({ test: z.object({ top1: number, nll: number, ece: number }) }),
    ),
    seconds: number,
  });
});

/**
 * Parses a JSON file's text against a schema.
 *
 * @param checkFormat throws when the value is of another version of the format
 * @throws Error that names the file and the first thing wrong
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
