/** The entries that several legends share. */
import type { Point } from "./charts/by-generation.js";
import type { LegendEntry } from "./figure.js";
import { colourOf } from "./series.js";
import type { StudyView } from "./view.js";

/** An entry for each arm, by its colour. */
export const armEntries = ({ arms, study }: StudyView): LegendEntry[] =>
  arms.map((arm) => ({
    label: arm.name === study.reference && arms.length > 1 ? `${arm.name} (reference)` : arm.name,
    mark: "dot",
    colour: (palette) => colourOf(arm, palette),
  }));

/** Entries for the marks of networks and ensembles, where there are both. */
export function kindEntries(arms: readonly { points: readonly Pick<Point, "kind">[] }[]): LegendEntry[] {
  if (!arms.some(({ points }) => points.some(({ kind }) => kind === "ensemble"))) return [];
  return [
    { label: "one network", mark: "dot", colour: ({ soft }) => soft },
    { label: "ensemble", mark: "diamond", colour: ({ soft }) => soft },
  ];
}

/** Entries for the marks of intervals and single seeds, where there are several seeds. */
export const spreadEntries = ({ study }: StudyView): LegendEntry[] =>
  study.seeds.length < 2
    ? []
    : [
        { label: "95 % interval", mark: "bar", colour: ({ soft }) => soft },
        { label: "one seed", mark: "small", colour: ({ soft }) => soft },
      ];
