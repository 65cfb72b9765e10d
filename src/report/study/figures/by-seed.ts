import { estimateMean } from "../../../study/statistics/index.js";
import { bySeedChart } from "../charts/by-seed.js";
import type { Figure } from "../figure.js";
import { outcomesOf, resultOf, valuesOf } from "../outcomes.js";
import type { StudyView } from "../view.js";

/** Each seed of each arm, which shows whether arms differ alike for all seeds. */
export function bySeedFigure({ study, arms, accuracy, images }: StudyView): Figure | undefined {
  const lines = arms.map((arm) => {
    const networks = outcomesOf({ arms: [arm] }).filter(({ kind }) => kind === "network");
    return {
      ...arm,
      means: networks.flatMap((outcome) => {
        const values = valuesOf(arm, outcome, study).map(({ value }) => value);
        return values.length > 0 ? [{ generation: outcome.generation, mean: estimateMean(values) }] : [];
      }),
      lines: arm.lines.map((line) => ({
        seed: line.seed,
        values: networks.flatMap((outcome) => {
          const value = resultOf(line, outcome, study)?.top1;
          return value === undefined ? [] : [{ generation: outcome.generation, value }];
        }),
      })),
    };
  });
  if (study.seeds.length < 2 || lines.every(({ means }) => means.length === 0)) return undefined;
  return {
    name: "accuracy-by-seed",
    title: "Accuracy, seed by seed",
    caption:
      `The accuracy on the ${images}: a thin line for each seed, the mean, and as a band Student's 95 % interval of ` +
      "the mean. The means of the other arms are grey.",
    legend: [
      { label: "mean", mark: "line", colour: ({ ink }) => ink },
      { label: "95 % interval", mark: "band", colour: ({ ink }) => ink },
      { label: "one seed", mark: "small", colour: ({ ink }) => ink },
    ],
    draw: (palette) => bySeedChart({ label: `${accuracy} (%)`, arms: lines }, palette),
  };
}
