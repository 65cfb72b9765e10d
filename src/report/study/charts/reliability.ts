import * as Plot from "@observablehq/plot";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import type { Palette } from "../palette.js";
import { colourOf, dashOf, type Series } from "../series.js";
import { panelTitles } from "./panels.js";

/** A bin of a reliability diagram. */
export interface ReliabilityBin {
  /** The mean top score of the images in the bin. */
  confidence: number;
  /** The fraction of them that is right. */
  accuracy: number;
  /** The fraction of all images that are in the bin. */
  share: number;
}

/** What the reliability diagram shows. */
export interface ReliabilityData {
  panels: { title: string; arms: (Series & { bins: ReliabilityBin[] })[] }[];
}

/** Draws how often predictions are right, by the score that they were made with. */
export function reliabilityChart({ panels }: ReliabilityData, palette: Palette): Html {
  const lines = panels.flatMap(({ title, arms }) =>
    arms.map((arm) => ({
      arm,
      bins: arm.bins
        .filter(({ share }) => share > 0)
        .map((bin) => ({ ...bin, panel: title, colour: colourOf(arm, palette), name: arm.name })),
    })),
  );
  const width = 860;
  const percent = (value: number) => String(Math.round(100 * value));
  return draw({
    alt: `reliability: accuracy by top score, in panels for ${panels.map(({ title }) => title).join(" and ")}`,
    font: palette.font,
    width,
    height: 430,
    marginTop: 44,
    marginBottom: 40,
    marginLeft: 48,
    marginRight: 12,
    fx: { axis: null, domain: panels.map(({ title }) => title), padding: 0.08 },
    x: {
      label: "top score (%)",
      labelArrow: "none",
      labelAnchor: "center",
      domain: [0, 1],
      ticks: 5,
      tickFormat: percent,
      grid: true,
      tickSize: 0,
    },
    y: {
      label: "right among these images (%)",
      labelArrow: "none",
      domain: [0, 1],
      ticks: 5,
      tickFormat: percent,
      grid: true,
      tickSize: 0,
    },
    r: { type: "sqrt", domain: [0, 0.5], range: [1.4, 8] },
    color: { type: "identity" },
    marks: [
      Plot.link([0], { x1: 0, y1: 0, x2: 1, y2: 1, stroke: palette.soft, strokeDasharray: "6 4" }),
      ...panelTitles(
        panels.map(({ title }) => title),
        palette,
        { width },
      ),
      ...lines.map(({ arm, bins }) =>
        Plot.line(bins, {
          fx: "panel",
          x: "confidence",
          y: "accuracy",
          stroke: colourOf(arm, palette),
          strokeWidth: 1.7,
          strokeOpacity: 0.85,
          strokeDasharray: dashOf(arm, palette),
        }),
      ),
      Plot.dot(
        lines.flatMap(({ bins }) => bins),
        {
          fx: "panel",
          x: "confidence",
          y: "accuracy",
          r: "share",
          fill: "colour",
          fillOpacity: 0.75,
          stroke: palette.card,
          strokeWidth: 0.7,
          title: ({ name, confidence, accuracy, share }: ReliabilityBin & { name: string }) =>
            `${name}: top score ${percent(confidence)} %, right ${percent(accuracy)} %, ${percent(share)} % of the images`,
        },
      ),
    ],
  });
}
