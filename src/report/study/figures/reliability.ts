import { reliabilityBins } from "../../../analysis/index.js";
import { reliabilityChart } from "../charts/reliability.js";
import { armEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { meanList, panelsOf } from "../lists.js";
import type { StudyView } from "../view.js";

/** Whether the networks of each arm are as right as they are sure. */
export function reliabilityFigure(view: StudyView): Figure | undefined {
  const panels = panelsOf(view)
    .map(({ title, outcomeOf }) => ({
      title,
      arms: view.arms.flatMap((arm) => {
        const outcome = outcomeOf(arm);
        // Its numbers are parts of all images, so that their means over seeds are those of all images together.
        const numbers = outcome ? meanList(view, arm, outcome, "reliability") : [];
        return numbers.length > 0 && numbers.length % 3 === 0
          ? [{ ...arm, bins: reliabilityBins(numbers) }]
          : [];
      }),
    }))
    .filter(({ arms }) => arms.length > 0);
  if (panels.length === 0) return undefined;
  return {
    name: "reliability",
    title: "Reliability",
    caption:
      `The ${view.images} of all seeds in 15 bins of the top score: how many of a bin are right, by the bin's mean top ` +
      "score. A large dot stands for many images. Below the dashed diagonal a network is surer than it is right.",
    legend: [...armEntries(view), { label: "as right as sure", mark: "dashed", colour: ({ soft }) => soft }],
    draw: (palette) => reliabilityChart({ panels }, palette),
  };
}
