import { type ReliabilityBin, reliabilityChart } from "../charts/reliability.js";
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
        const bins = outcome ? binsOf(meanList(view, arm, outcome, "reliability")) : [];
        return bins.length > 0 ? [{ ...arm, bins }] : [];
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

/**
 * Reads the metric `reliability`, which holds for each bin the part of the images in it, the part of all images
 * that are in it and right, and the sum of the bin's top scores over the number of all images.
 */
function binsOf(numbers: readonly number[]): ReliabilityBin[] {
  return Array.from({ length: Math.floor(numbers.length / 3) }, (_, bin) => {
    const [share, right, confidence] = numbers.slice(3 * bin) as [number, number, number];
    return { share, accuracy: right / share, confidence: confidence / share };
  }).filter(({ share }) => share > 0);
}
