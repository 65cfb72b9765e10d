import type { ArmResult } from "../../study/index.js";
import { meanOf } from "../../study/statistics/index.js";
import { type Outcome, resultOf } from "./outcomes.js";
import type { StudyView } from "./view.js";

/**
 * Computes the mean over seeds of a metric that is a list of numbers, place by place.
 *
 * @returns an empty list where no seed has one
 */
export function meanList({ study }: StudyView, arm: ArmResult, outcome: Outcome, metric: string): number[] {
  const lists = arm.lines.flatMap((line) => {
    const list = (resultOf(line, outcome, study) as Record<string, unknown> | undefined)?.[metric];
    return Array.isArray(list) && list.every(Number.isFinite) ? [list as number[]] : [];
  });
  // Lists of different lengths, as of different numbers of classes, have no common mean.
  const alike = lists.filter(({ length }) => length === lists[0]!.length);
  return (alike[0] ?? []).map((_, i) => meanOf(alike.map((list) => list[i]!)));
}

/** The panels in which lists are drawn: the first network of every arm, and the last one of its line. */
export function panelsOf(
  view: StudyView,
): { title: string; outcomeOf: (arm: ArmResult) => Outcome | undefined }[] {
  const first = {
    title: "patriarch (the first network)",
    outcomeOf: () => ({ kind: "network", generation: 0 }) as const,
  };
  const most = Math.max(...view.arms.map(({ generations }) => generations));
  if (most < 2) return [first];
  const last = {
    title: "the last student",
    outcomeOf: ({ generations }: ArmResult) =>
      generations > 1 ? ({ kind: "network", generation: generations - 1 } as const) : undefined,
  };
  return [first, last];
}
