import * as Plot from "@observablehq/plot";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import type { Palette } from "../palette.js";
import { colourOf, dashOf, type Series } from "../series.js";
import { panelTitles } from "./panels.js";

/** What the chart of scores by rank shows: panels such as "patriarch", each with a line for every arm. */
export interface RankData {
  panels: { title: string; arms: (Series & { scores: number[] })[] }[];
}

/** Draws the mean score of the best class, of the second best, … on a logarithmic scale. */
export function rankChart({ panels }: RankData, palette: Palette): Html {
  const lines = panels.flatMap(({ title, arms }) =>
    arms.map((arm) => ({
      arm,
      points: arm.scores
        .map((score, i) => ({
          panel: title,
          rank: i + 1,
          score,
          colour: colourOf(arm, palette),
          name: arm.name,
        }))
        .filter(({ score }) => score > 0),
    })),
  );
  const points = lines.flatMap((line) => line.points);
  const lowest = Math.min(0.1, ...points.map(({ score }) => score));
  const ranks = Math.max(2, ...points.map(({ rank }) => rank));
  const ticks = [1, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6].filter((tick) => tick >= 0.9 * lowest);
  const width = 860;
  return draw({
    alt: `mean score by rank of the class, in panels for ${panels.map(({ title }) => title).join(" and ")}`,
    font: palette.font,
    width,
    height: 340,
    marginTop: 44,
    marginBottom: 40,
    marginLeft: 52,
    marginRight: 12,
    fx: { axis: null, domain: panels.map(({ title }) => title), padding: 0.06 },
    x: {
      label: "rank of the class, by score",
      labelArrow: "none",
      labelAnchor: "center",
      domain: [0.7, ranks + 0.3],
      ticks: Array.from({ length: ranks }, (_, i) => i + 1),
      tickFormat: "d",
      tickSize: 0,
    },
    y: {
      type: "log",
      label: "mean score",
      labelArrow: "none",
      domain: [lowest * 0.9, 1],
      tickSize: 0,
      ticks,
      tickFormat: (value: number) => String(value),
    },
    color: { type: "identity" },
    marks: [
      Plot.gridY(ticks, { stroke: palette.line, strokeOpacity: 1 }),
      ...panelTitles(
        panels.map(({ title }) => title),
        palette,
        { width },
      ),
      ...lines.map(({ arm, points }) =>
        Plot.lineY(points, {
          fx: "panel",
          x: "rank",
          y: "score",
          stroke: colourOf(arm, palette),
          strokeWidth: 1.8,
          strokeOpacity: 0.85,
          strokeDasharray: dashOf(arm, palette),
        }),
      ),
      Plot.dot(points, {
        fx: "panel",
        x: "rank",
        y: "score",
        r: 3,
        fill: "colour",
        stroke: palette.card,
        strokeWidth: 0.7,
        title: ({ name, rank, score }: { name: string; rank: number; score: number }) =>
          `${name}, rank ${rank}: ${score.toPrecision(3)}`,
      }),
    ],
  });
}
