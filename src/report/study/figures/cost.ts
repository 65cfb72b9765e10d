import type { ArmResult, StudyResult } from "../../../study/index.js";
import { countsProcessor, secondsOf } from "../../../study/index.js";
import { meanOf } from "../../../study/statistics/index.js";
import { type CostPoint, costChart } from "../charts/cost.js";
import { armEntries, kindEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { valuesOf } from "../outcomes.js";
import type { StudyView } from "../view.js";

/** What every generation costs and brings. */
export function costFigure(view: StudyView): Figure | undefined {
  const arms = view.arms.map((arm) => ({ ...arm, points: costsOf(view, arm) }));
  if (arms.every(({ points }) => points.length === 0)) return undefined;
  const ensembles = arms.some(({ points }) => points.some(({ ensemble }) => ensemble !== undefined));
  return {
    name: "cost",
    title: "Cost and gain",
    caption:
      `Accuracy on the ${view.images} by the ${clock(view.study)} of the line up to there, both means over seeds. ` +
      "Networks that arms share are trained once and count in each of them here. Times compare only where all was " +
      "trained on machines of one kind.",
    legend: [...armEntries(view), ...(ensembles ? kindEntries([{ points: [{ kind: "ensemble" }] }]) : [])],
    draw: (palette) => costChart({ label: `${view.accuracy} (%)`, arms }, palette),
  };
}

const clock = (study: StudyResult) =>
  countsProcessor(study)
    ? "processor time of training, over all threads and with validation,"
    : "time of training, steps alone and whatever else the machine did,";

/** Adds up the seconds of an arm's generations; ends where a generation has no network yet. */
function costsOf({ study }: StudyView, arm: ArmResult): CostPoint[] {
  const points: CostPoint[] = [];
  let seconds = 0;
  for (let generation = 0; generation < arm.generations; generation++) {
    const times = arm.lines.flatMap(({ networks }) =>
      networks.slice(generation, generation + 1).flatMap((network) => (network ? secondsOf(network) : [])),
    );
    const mean = (kind: "network" | "ensemble") => {
      const values = valuesOf(arm, { kind, generation }, study).map(({ value }) => value);
      return values.length > 0 ? meanOf(values) : undefined;
    };
    const top1 = mean("network");
    if (times.length === 0 || top1 === undefined) break;
    seconds += meanOf(times);
    points.push({ seconds, top1, ensemble: mean("ensemble") });
  }
  return points;
}
