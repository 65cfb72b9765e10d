import { byGenerationChart } from "../charts/by-generation.js";
import { extentOf, isCut } from "../charts/extent.js";
import { armEntries, kindEntries, spreadEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { pointsOf } from "../points.js";
import type { StudyView } from "../view.js";

/** The accuracy of every arm's networks and ensembles. */
export function accuracyFigure(view: StudyView): Figure | undefined {
  const points = view.arms.map((arm) => ({ ...arm, points: pointsOf(view, arm, "top1") }));
  if (points.every((arm) => arm.points.length === 0)) return undefined;
  const generations = Math.max(...view.arms.map((arm) => arm.generations));
  const single = generations > 1 && view.arms.some((arm) => arm.generations === 1);
  const all = points.flatMap((arm) => arm.points);
  return {
    name: "accuracy",
    title: "Accuracy by generation",
    caption:
      (view.study.seeds.length > 1
        ? `The mean over seeds of the accuracy on the ${view.images}, with Student's 95 % interval of the mean; beside ` +
          "it each seed. These intervals hold what all arms share from seed to seed; differences are judged by the " +
          "pairs below."
        : `The accuracy on the ${view.images} for one seed: how much another seed would change it, it cannot say.`) +
      " The axis does not start at 0." +
      (single ? " A dotted level goes on from an arm that has one network only." : "") +
      (isCut(extentOf(all), all) ? " Intervals of few seeds go on beyond the figure." : ""),
    legend: [...armEntries(view), ...kindEntries(points), ...spreadEntries(view)],
    draw: (palette) =>
      byGenerationChart({ label: `${view.accuracy} (%)`, scale: 100, arms: points, height: 400 }, palette),
  };
}
