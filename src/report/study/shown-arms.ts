import type { ArmResult, StudyResult } from "../../study/index.js";
import { meanOf } from "../../study/statistics/index.js";
import { outcomesOf, valuesOf } from "./outcomes.js";

/** How many arms a chart holds, so that they can be told apart. */
export const mostArms = 12;

/**
 * Chooses the arms that charts show: all, or where there are too many the reference and those whose last networks
 * are the best. The order stays that of the study.
 */
export function shownArms(study: StudyResult): ArmResult[] {
  const { arms, reference } = study;
  if (arms.length <= mostArms) return arms;
  const networks = outcomesOf(study).filter(({ kind }) => kind === "network");
  const lastOf = (arm: ArmResult) => {
    const values = networks
      .map((outcome) => valuesOf(arm, outcome, study))
      .findLast((found) => found.length > 0);
    return values ? meanOf(values.map(({ value }) => value)) : Number.NEGATIVE_INFINITY;
  };
  const others = arms.filter(({ name }) => name !== reference);
  const kept = others
    .map((arm) => ({ arm, top1: lastOf(arm) }))
    .sort((a, b) => b.top1 - a.top1)
    .slice(0, mostArms - 1)
    .map(({ arm }) => arm);
  return arms.filter((arm) => arm.name === reference || kept.includes(arm));
}
