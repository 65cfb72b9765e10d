import type { ArmResult } from "../../study/index.js";
import { estimateMean } from "../../study/statistics/index.js";
import type { Point } from "./charts/by-generation.js";
import { outcomesOf, valuesOf } from "./outcomes.js";
import type { StudyView } from "./view.js";

/** Lists what a metric came to in an arm, for every network and ensemble that has it. */
export function pointsOf({ study }: StudyView, arm: ArmResult, metric: string): Point[] {
  return outcomesOf({ arms: [arm] }).flatMap((outcome) => {
    const seeds = valuesOf(arm, outcome, study, metric).map(({ value }) => value);
    return seeds.length > 0 ? [{ ...outcome, seeds, mean: estimateMean(seeds) }] : [];
  });
}
