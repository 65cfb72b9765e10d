import { type ArmResult, findingOf, type PairedDifference, withoutRepeated } from "../../../study/index.js";
import { type ForestRow, forestChart, forestExtent } from "../charts/forest.js";
import type { Figure } from "../figure.js";
import { measuredName } from "../outcomes.js";
import type { Palette } from "../palette.js";
import type { StudyView } from "../view.js";

/** The most rows of a plot that shows every generation; one of more rows shows the last networks and the ensembles. */
const mostRows = 60;

/** Every arm's paired differences to the reference. */
export function differencesFigure({ study, arms, differences, accuracy }: StudyView): Figure | undefined {
  const found = withoutRepeated(differences).filter(({ seeds }) => seeds.length > 0);
  const shown = found.filter(({ a }) => arms.some(({ name }) => name === a));
  if (shown.length === 0) return undefined;
  const reference = study.arms.find(({ name }) => name === study.reference) ?? arms[0]!;
  const all = shown.length <= mostRows;
  // A search chooses and tells nothing by p: its marks are all alike.
  const isSearch = study.part === "heldOut";
  const rows = arms.map((arm) => ({
    ...arm,
    rows: shown
      .filter(({ a, generation, of }) => a === arm.name && (all || atEnd(arm, generation, of)))
      .map((difference) => {
        const row = rowOf(difference, arm, reference);
        return isSearch ? { ...row, clear: true } : row;
      }),
  }));
  const together = shown.some((difference) => difference.simultaneous);
  return {
    name: "differences",
    title: `Differences to ${study.reference}`,
    caption:
      "The mean over seeds of the difference between two lines of the same seed, in points (hundredths of the images), " +
      "with Student's 95 % interval" +
      (together
        ? ", and as a thin line the interval that holds for all arms at the same place together (Bonferroni)."
        : ".") +
      (isSearch
        ? ""
        : together
          ? " Filled marks can be told from 0 after Holm's correction for the arms at the same place; generations and " +
            "ensembles are not corrected for each other."
          : " Filled marks can be told from 0, each row by itself.") +
      (isCut(rows.flatMap((arm) => arm.rows)) ? " Lines that reach the edge go on beyond it." : "") +
      (all ? "" : " Only the ends of lines are drawn; data/differences.csv has every generation."),
    legend: [
      { label: "one network", mark: "dot", colour: (palette) => palette.soft },
      { label: "ensemble", mark: "diamond", colour: (palette) => palette.soft },
      ...(isSearch
        ? []
        : [
            { label: "not told from 0", mark: "hollow", colour: (palette: Palette) => palette.soft } as const,
          ]),
    ],
    draw: (palette) =>
      forestChart(
        { label: `${accuracy} above ${study.reference} (points), same seeds`, arms: rows },
        palette,
      ),
  };
}

/** Tells whether some interval goes on beyond the axis. */
function isCut(rows: readonly ForestRow[]): boolean {
  const [from, to] = forestExtent(rows);
  return rows.some((row) =>
    [row.interval, row.together].some((interval) => interval && (interval.low < from || interval.high > to)),
  );
}

function atEnd(
  { generations }: { generations: number },
  place: PairedDifference["generation"],
  of: PairedDifference["of"],
): boolean {
  return place === "last" || place === "ensemble" || of.a === generations - 1;
}

function rowOf(
  { of, difference, low, high, simultaneous, adjusted, seeds }: PairedDifference,
  arm: Pick<ArmResult, "generations">,
  reference: Pick<ArmResult, "generations">,
): ForestRow {
  const name = measuredName(of.a, arm);
  return {
    name: of.a === of.b ? name : `${name} – ${measuredName(of.b, reference)}`,
    kind: typeof of.a === "number" && typeof of.b === "number" ? "network" : "ensemble",
    difference,
    interval: low === undefined || high === undefined ? undefined : { low, high },
    together: simultaneous,
    clear: findingOf({ adjusted, difference }) !== "none",
    seeds: seeds.length,
  };
}
