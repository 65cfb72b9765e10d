import * as Plot from "@observablehq/plot";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import type { Palette } from "../palette.js";
import { colourOf, dashOf, type Series } from "../series.js";
import { widened } from "./extent.js";

/** What a line comes to when it ends with a generation. */
export interface CostPoint {
  /** Seconds of training of all networks up to this one. */
  seconds: number;
  /** The accuracy of the last network; a fraction. */
  top1: number;
  /** The accuracy of the ensemble of all networks up to this one. */
  ensemble: number | undefined;
}

/** What the chart of cost shows. */
export interface CostData {
  /** The name of the vertical axis: "test accuracy (%)". */
  label: string;
  arms: (Series & { points: CostPoint[] })[];
}

/** Draws accuracy by the time of training that it took, with a mark for each generation and each ensemble. */
export function costChart({ label, arms }: CostData, palette: Palette): Html {
  const longest = Math.max(1, ...arms.flatMap(({ points }) => points.map(({ seconds }) => seconds)));
  const [unit, name] =
    longest > 3 * 3600 ? [3600, "hours"] : longest > 180 ? [60, "minutes"] : [1, "seconds"];
  const values = arms.flatMap(({ points }) =>
    points.flatMap(({ top1, ensemble }) => [top1, ensemble ?? top1]),
  );
  const extent = widened([Math.min(...values), Math.max(...values)]);
  const series = arms.map((arm) => ({
    arm,
    networks: arm.points.map(({ seconds, top1 }) => ({ x: seconds / unit, y: 100 * top1 })),
    ensembles: arm.points.flatMap(({ seconds, ensemble }) =>
      ensemble === undefined ? [] : [{ x: seconds / unit, y: 100 * ensemble }],
    ),
  }));
  return draw({
    alt: `${label} by ${name} of training, for ${arms.map((arm) => arm.name).join(", ")}`,
    font: palette.font,
    width: 860,
    height: 360,
    marginTop: 30,
    marginBottom: 42,
    marginLeft: 48,
    marginRight: 20,
    x: {
      label: `training of the line so far (${name})`,
      labelArrow: "none",
      labelAnchor: "center",
      domain: [0, (longest / unit) * 1.04],
      nice: true,
      ticks: 8,
      tickSize: 0,
      grid: true,
    },
    y: {
      domain: extent.map((end) => 100 * end),
      label,
      labelArrow: "none",
      nice: true,
      tickSize: 0,
      ticks: 7,
      grid: true,
    },
    color: { type: "identity" },
    marks: series.flatMap(({ arm, networks, ensembles }) => {
      const colour = colourOf(arm, palette);
      const title = ({ x, y }: { x: number; y: number }) =>
        `${arm.name}: ${x.toFixed(1)} ${name}, ${y.toFixed(2)} %`;
      return [
        Plot.line(ensembles, { x: "x", y: "y", stroke: colour, strokeOpacity: 0.5, strokeDasharray: "2 4" }),
        Plot.line(networks, {
          x: "x",
          y: "y",
          stroke: colour,
          strokeWidth: 1.8,
          strokeOpacity: 0.7,
          strokeDasharray: dashOf(arm, palette),
        }),
        Plot.dot(networks, { x: "x", y: "y", r: 4.8, fill: colour, stroke: palette.card, title }),
        Plot.dot(ensembles, {
          x: "x",
          y: "y",
          r: 5.4,
          symbol: "diamond2",
          fill: colour,
          stroke: palette.card,
          title,
        }),
      ];
    }),
  });
}
