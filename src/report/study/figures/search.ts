import { meanOf } from "../../../study/statistics/index.js";
import { heatMap } from "../charts/heat-map.js";
import type { Figure } from "../figure.js";
import { gridOf } from "../grid.js";
import { outcomeName, outcomesOf, valuesOf } from "../outcomes.js";
import type { StudyView } from "../view.js";

/** The accuracy at each pair of values, where the arms form a grid of two options. */
export function searchFigure({ study, accuracy, images }: StudyView): Figure | undefined {
  const grid = gridOf(study);
  if (!grid) return undefined;
  const inGrid = study.arms.filter(({ name }) => grid.arms.some(({ arm }) => arm === name));
  // The last network that most of the grid has: a search that is not finished shows what can be compared.
  const last = outcomesOf({ arms: inGrid }).findLast(
    (outcome) => outcome.kind === "network" && inGrid.some((arm) => valuesOf(arm, outcome, study).length > 0),
  );
  if (!last) return undefined;
  const cells = grid.arms.flatMap(({ arm, x, y }) => {
    const values = valuesOf(study.arms.find(({ name }) => name === arm)!, last, study);
    return values.length > 0 ? [{ x, y, value: meanOf(values.map(({ value }) => value)) }] : [];
  });
  return {
    name: "search",
    title: `${outcomeName(last)[0]!.toUpperCase()}${outcomeName(last).slice(1)} by ${grid.x.name} and ${grid.y.name}`,
    caption:
      `The accuracy on the ${images} (%), the mean over seeds. The frame marks the highest mean; others that differ ` +
      "from it by less than seeds do from each other may be as good. An empty cell is not trained yet.",
    legend: [],
    draw: (palette) => heatMap({ label: `${accuracy} of ${outcomeName(last)} (%)`, ...grid, cells }, palette),
  };
}
