import { findingOf, paired, type StudyResult } from "../../study/index.js";
import { meanOf } from "../../study/statistics/index.js";
import { percent, plural } from "../numbers.js";
import { valuesOf } from "./outcomes.js";

/**
 * Says what a search found: the arm whose last network is the best on the held-out images, and how many of the
 * others can be told from it.
 *
 * @returns up to three sentences, none where no arm is finished
 */
export function searchWords(study: StudyResult): string[] {
  const finished = study.arms.flatMap((arm) => {
    const values = valuesOf(arm, { kind: "network", generation: arm.generations - 1 }, study);
    return values.length > 0
      ? [{ name: arm.name, seeds: values.length, top1: meanOf(values.map(({ value }) => value)) }]
      : [];
  });
  const [best, ...others] = finished.sort((a, b) => b.top1 - a.top1);
  if (!best) return [];
  const mean = best.seeds === 1 ? "one seed" : `the mean of ${best.seeds} seeds`;
  const accuracy = `${percent(best.top1)} of the held-out images, ${mean}`;
  if (others.length === 0) return [`${best.name} is the only arm that is finished so far: ${accuracy}.`];
  const comparisons = paired(study, { reference: best.name, bootstrapSeed: false }).filter(
    ({ generation, seeds }) => generation === "last" && seeds.length > 0,
  );
  const told = comparisons.filter((one) => findingOf(one) !== "none").length;
  const beside = `${told === 0 ? "None" : told} of the ${plural(comparisons.length, "other")} can be told from it`;
  return [
    `Of ${finished.length} arms, ${best.name} ends highest: ${accuracy}.`,
    `${beside} by pairs of the same seed, corrected for all of them${told < comparisons.length ? ": the rest may be as good" : ""}.`,
    "The highest of many is in part the luckiest: expect somewhat less of it on other images.",
  ];
}
