import * as Plot from "@observablehq/plot";
import { meanOf } from "../../../study/statistics/index.js";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import type { Palette } from "../palette.js";
import { colourOf, type Series } from "../series.js";
import { widened } from "./extent.js";

/** How far an arm's generations differ, and what that gives; both are fractions. */
export interface DiversityPoint {
  /** The mean, over pairs of generations, of the images for which the best classes differ. */
  disagreement: number;
  /** The ensemble's accuracy above the mean of its members. */
  gain: number;
}

/** What the chart of diversity shows: the lines of each arm, one for each seed. */
export interface DiversityData {
  /** The name of the horizontal axis. */
  label: string;
  arms: (Series & { lines: DiversityPoint[] })[];
}

/** Draws what the ensemble of a line gains over its members, by how much they differ. */
export function diversityChart({ label, arms }: DiversityData, palette: Palette): Html {
  const lines = arms.flatMap((arm) =>
    arm.lines.map(({ disagreement, gain }) => ({
      x: 100 * disagreement,
      y: 100 * gain,
      colour: colourOf(arm, palette),
    })),
  );
  const extentOf = (values: number[]) => widened([Math.min(...values), Math.max(...values)], 1);
  const means = arms
    .filter((arm) => arm.lines.length > 0)
    .map((arm) => ({
      x: 100 * meanOf(arm.lines.map(({ disagreement }) => disagreement)),
      y: 100 * meanOf(arm.lines.map(({ gain }) => gain)),
      colour: colourOf(arm, palette),
      name: arm.name,
    }));
  return draw({
    alt: `gain of the ensemble by disagreement of its members: ${means.map(({ name, x, y }) => `${name} differs on ${x.toFixed(1)} % and gains ${y.toFixed(2)} points`).join("; ")}`,
    font: palette.font,
    width: 620,
    height: 340,
    marginTop: 30,
    marginBottom: 42,
    marginLeft: 48,
    marginRight: 16,
    x: {
      domain: extentOf(lines.map(({ x }) => x)),
      label,
      labelArrow: "none",
      labelAnchor: "center",
      nice: true,
      ticks: 6,
      grid: true,
      tickSize: 0,
    },
    y: {
      domain: extentOf(lines.map(({ y }) => y)),
      label: "ensemble above the mean of its members (points)",
      labelArrow: "none",
      nice: true,
      tickSize: 0,
      ticks: 6,
      grid: true,
    },
    color: { type: "identity" },
    marks: [
      Plot.dot(lines, { x: "x", y: "y", r: 2.4, fill: "colour", fillOpacity: 0.6 }),
      Plot.dot(means, {
        x: "x",
        y: "y",
        r: 6.5,
        symbol: "diamond2",
        fill: "colour",
        stroke: palette.card,
        title: ({ name, x, y }: { name: string; x: number; y: number }) =>
          `${name}: ${x.toFixed(1)} %, +${y.toFixed(2)} points`,
      }),
    ],
  });
}
