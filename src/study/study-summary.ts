/** The file summary.json of a study: what its arms came to and how they differ, as plain numbers. */
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
