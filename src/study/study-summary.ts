/** The file summary.json of a study: what its arms came to and how they differ, as plain numbers. */
import type { z } from "zod";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { parseJson } from "../runs/index.js";
import { paired } from "./paired.js";
import type { StudyResult } from "./types.js";
import { armValues } from "./values.js";

/** What one arm came to. Accuracies are fractions; null stands where a network is not trained. */
export interface ArmSummary {
  seeds: number[];
  /** The accuracy of each generation, for each seed in the order of `seeds`. */
  top1: (number | null)[][];
  /** The accuracy of the ensemble of the whole line, for each seed; of a single network, its own. */
  ensembleTop1: (number | null)[];
}

/** What an arm has over the reference, over the seeds that both have. */
export interface PairedSummary {
  a: string;
  b: string;
  /** A generation's number, "last" of each line, the "ensemble" of each line, or that of some generations, "0-2". */
  generation: number | string;
  /** The mean accuracy of a less that of b, a fraction; null where no seed has both. */
  difference: number | null;
  /** The 95 % t interval over seeds; null below two seeds, and where all differences are equal. */
  low: number | null;
  high: number | null;
  /** The seeds that count. */
  seeds: number[];
}

/** The content of a study's summary.json. */
export interface StudySummary {
  arms: Record<string, ArmSummary>;
  paired: PairedSummary[];
}

/** Sums a study up, on the images that its claims are about. */
export function studySummary(study: StudyResult): StudySummary {
  const arms = study.arms.map((arm): [string, ArmSummary] => {
    const { seeds, generations, ensemble } = armValues(arm, { metric: "top1", part: study.part });
    return [arm.name, { seeds, top1: generations, ensembleTop1: ensemble }];
  });
  return {
    arms: Object.fromEntries(arms),
    paired: paired(study, { bootstrapSeed: false }).map(
      ({ a, b, generation, difference, low, high, seeds }) => ({
        a,
        b,
        generation,
        difference: orNull(difference),
        low: orNull(low),
        high: orNull(high),
        seeds,
      }),
    ),
  };
}

/** JSON has no NaN and no undefined: null stands for both. */
const orNull = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);

const MAX_BYTES = 16 * 1024 * 1024;

const summarySchema = schema((z): z.ZodType<StudySummary> => {
  const name = z.string().min(1).max(100);
  const seeds = z.array(z.int().min(0)).max(1000);
  const fraction = z.number().min(0).max(1).nullable();
  const difference = z.number().min(-1).max(1).nullable();
  const arm = z
    .object({
      seeds,
      top1: z.array(z.array(fraction).min(1).max(1000)).max(1000),
      ensembleTop1: z.array(fraction).max(1000),
    })
    .refine(
      ({ seeds, top1, ensembleTop1 }) => top1.length === seeds.length && ensembleTop1.length === seeds.length,
      "top1 and ensembleTop1 must have one entry for each seed",
    );
  const place = z.union([
    z.int().min(0).max(9999),
    z
      .string()
      .regex(/^(last|ensemble|\d{1,4}-\d{1,4})$/, 'must be a number, "last", "ensemble" or like "0-2"'),
  ]);
  return z
    .object({
      arms: z.record(name, arm),
      paired: z.array(
        z.object({
          a: name,
          b: name,
          generation: place,
          difference,
          // An interval may reach beyond what accuracies can differ by.
          low: z.number().nullable(),
          high: z.number().nullable(),
          seeds,
        }),
      ),
    })
    .refine(
      ({ arms, paired }) => paired.every(({ a, b }) => Object.hasOwn(arms, a) && Object.hasOwn(arms, b)),
      "paired names an arm that is not in arms",
    );
});

/**
 * Reads the summary.json of a study.
 *
 * @throws Error that names the file and the first problem when it cannot be read or is damaged
 */
export async function readStudySummary(path: string): Promise<StudySummary> {
  return parseJson(await readBoundedText(path, { maxBytes: MAX_BYTES }), summarySchema(), path);
}
