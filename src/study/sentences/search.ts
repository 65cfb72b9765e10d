/** What a search found: the best arm on the held-out images, and how little that says. */
import { type PairedOptions, paired } from "../paired.js";
import { meanOf } from "../statistics/index.js";
import type { StudyResult } from "../types.js";
import { scalarMetric, valuesOf } from "../values.js";
import { countOf, partInWords } from "../words.js";
import { ALPHA } from "./difference.js";

/**
 * Says what a search found: the arm whose last network is the best, and how many of the others can be told from it.
 *
 * The best arm is known only after looking, and it is compared with the others because it is the best. A correction
 * for these comparisons alone would find differences among many equal arms too often, so that p counts as if all
 * pairs of arms were compared (Bonferroni).
 *
 * @returns up to three sentences; none where no arm is finished, or the metric has no better end
 * @throws RangeError when there is no such metric
 */
export function searchSentences(
  study: StudyResult,
  { metric = "top1", part = study.part }: Pick<PairedOptions, "metric" | "part"> = {},
): string[] {
  const { better, label, unit, digits } = scalarMetric(metric);
  if (better === undefined) return [];
  const sign = better === "higher" ? 1 : -1;
  const finished = study.arms.flatMap((arm) => {
    const values = [...valuesOf(arm, arm.generations - 1, { metric, part }).values()].filter(Number.isFinite);
    return values.length > 0 ? [{ name: arm.name, seeds: values.length, mean: meanOf(values) }] : [];
  });
  const [best, ...others] = finished.sort((a, b) => sign * (b.mean - a.mean));
  if (!best) return [];
  const value = unit === "fraction" ? `${(100 * best.mean).toFixed(2)} %` : best.mean.toFixed(digits);
  const seeds = best.seeds === 1 ? "one seed" : `the mean of ${best.seeds} seeds`;
  const found = `${label} ${value} on ${partInWords(part)}, ${seeds}`;
  if (others.length === 0) return [`${best.name} is the only arm that is finished so far: ${found}.`];
  const comparisons = paired(study, { metric, part, reference: best.name, bootstrapSeed: false }).filter(
    ({ generation, seeds }) => generation === "last" && seeds.length > 0,
  );
  const pairs = (finished.length * (finished.length - 1)) / 2;
  const told = comparisons.filter(({ p }) => p !== undefined && p * pairs < ALPHA).length;
  const all = comparisons.length;
  const rest = told === all ? "" : told === 0 ? ": each may be as good" : ": the rest may be as good";
  const beside = `${told === 0 ? "None" : told} of the ${countOf(all, "other")} can be told from it`;
  const corrected =
    pairs > 1 ? `, corrected for all ${pairs} pairs of arms, since the best was not known before` : "";
  return [
    `Of ${finished.length} arms, ${best.name} ends ${better === "higher" ? "highest" : "lowest"}: ${found}.`,
    ...(all > 0 ? [`${beside} by pairs of the same seed${corrected}${rest}.`] : []),
    "The best of many is in part the luckiest: expect somewhat less of it on other images.",
  ];
}
