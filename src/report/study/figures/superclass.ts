import { meanOf } from "../../../study/statistics/index.js";
import { byGenerationChart } from "../charts/by-generation.js";
import { armEntries, spreadEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { pointsOf } from "../points.js";
import type { StudyView } from "../view.js";

/** Whether the score beside the best class goes to classes that are alike. */
export function superclassFigure(view: StudyView): Figure | undefined {
  const networksOf = (metric: string) =>
    view.arms.map((arm) => ({
      ...arm,
      points: pointsOf(view, arm, metric).filter(({ kind }) => kind === "network"),
    }));
  const arms = networksOf("superclassShare");
  if (arms.every(({ points }) => points.length === 0)) return undefined;
  const chances = networksOf("superclassChance").flatMap(({ points }) => points.map(({ mean }) => mean.mean));
  return {
    name: "superclass-share",
    title: "What the secondary classes are",
    caption:
      "Of the score that is not on the best class, the share of classes out of the label's superclass; the mean over " +
      `the ${view.images} and the seeds, with Student's 95 % interval of the mean.` +
      (chances.length > 0 ? " The dashed line is what equal scores for all other classes would give." : ""),
    legend: [...armEntries(view), ...spreadEntries(view)],
    draw: (palette) =>
      byGenerationChart(
        {
          label: "share of the label's superclass (%)",
          scale: 100,
          arms,
          height: 320,
          level: chances.length > 0 ? { value: meanOf(chances), label: "by chance" } : undefined,
        },
        palette,
      ),
  };
}
