import { diversityChart } from "../charts/diversity.js";
import { armEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { resultOf } from "../outcomes.js";
import type { StudyView } from "../view.js";

/** How far the networks of a line differ, and what their ensemble gains. */
export function diversityFigure(view: StudyView): Figure | undefined {
  const arms = view.arms.map((arm) => ({
    ...arm,
    lines: arm.lines.flatMap((line) => {
      const whole = { kind: "ensemble", generation: arm.generations - 1 } as const;
      const { disagreement, gainOverMean } = (resultOf(line, whole, view.study) ?? {}) as Record<
        string,
        unknown
      >;
      return typeof disagreement === "number" && typeof gainOverMean === "number"
        ? [{ disagreement, gain: gainOverMean }]
        : [];
    }),
  }));
  const shown = arms.filter(({ lines }) => lines.length > 0);
  if (shown.length === 0) return undefined;
  return {
    name: "diversity",
    title: "Diversity, and what an ensemble gains",
    caption:
      "For the ensemble of each whole line: its accuracy above the mean accuracy of its members, by the part of the " +
      `${view.images} for which two of its members put different classes first (mean over all pairs). A diamond is the ` +
      "mean over seeds, a dot one seed.",
    legend: [
      ...armEntries({
        ...view,
        arms: view.arms.filter(({ name }) => shown.some((arm) => arm.name === name)),
      }),
      ...(view.study.seeds.length > 1
        ? [{ label: "one seed", mark: "small" as const, colour: ({ soft }: { soft: string }) => soft }]
        : []),
    ],
    draw: (palette) =>
      diversityChart({ label: `two members differ (% of the ${view.images})`, arms: shown }, palette),
  };
}
