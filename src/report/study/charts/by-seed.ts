import * as Plot from "@observablehq/plot";
import type { MeanEstimate } from "../../../study/statistics/index.js";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import { outcomeName } from "../outcomes.js";
import type { Palette } from "../palette.js";
import { colourOf, type Series } from "../series.js";
import { fitText } from "../text-width.js";
import { extentOf, within } from "./extent.js";

/** The accuracies of an arm's networks, as fractions. */
export interface SeedLines extends Series {
  means: { generation: number; mean: MeanEstimate }[];
  lines: { seed: number; values: { generation: number; value: number }[] }[];
}

/** What the chart of single seeds shows. */
export interface BySeedData {
  /** The name of the axis: "test accuracy (%)". */
  label: string;
  arms: SeedLines[];
}

const columns = 3;
const rowHeight = 190;

/**
 * Draws each arm in a panel of its own: a thin line for every seed, the mean over a band that is its interval,
 * and the means of the other arms in grey.
 */
export function bySeedChart({ label, arms }: BySeedData, palette: Palette): Html {
  const rows = Math.ceil(arms.length / columns);
  const used = Math.min(columns, arms.length);
  const place = (arm: number) => ({ fx: arm % columns, fy: Math.floor(arm / columns) });
  const generations =
    1 + Math.max(0, ...arms.flatMap(({ means }) => means.map(({ generation }) => generation)));
  const meansOf = (arm: SeedLines) =>
    arm.means.map(({ generation, mean }) => ({ x: generation, y: 100 * mean.mean }));
  const ticks = Array.from({ length: generations }, (_, i) => i);
  const names = ticks.map((generation) => outcomeName({ kind: "network", generation }));
  const width = 860;
  const extent = extentOf(
    arms.flatMap(({ means, lines }) =>
      means.map(({ generation, mean }) => ({
        mean,
        seeds: lines.flatMap(({ values }) =>
          values.flatMap((one) => (one.generation === generation ? [one.value] : [])),
        ),
      })),
    ),
  );
  return draw({
    alt: `${label} by generation and seed, a panel for each of ${arms.map(({ name }) => name).join(", ")}`,
    font: palette.font,
    width: used === columns ? width : 60 + ((width - 60) / columns) * used,
    height: 50 + rows * rowHeight,
    marginTop: 44,
    marginBottom: 30,
    marginLeft: 48,
    marginRight: 10,
    fx: { axis: null, domain: Array.from({ length: used }, (_, i) => i), padding: 0.05 },
    fy: { axis: null, domain: Array.from({ length: rows }, (_, i) => i), padding: 0.24 },
    x: {
      domain: [-0.4, generations - 0.6],
      ticks,
      tickFormat: (generation: number) => (generations > 4 ? String(generation) : names[generation]!),
      label: generations > 4 ? "generation" : null,
      labelArrow: "none",
      labelAnchor: "center",
      tickSize: 0,
    },
    y: {
      domain: extent.map((end) => 100 * end),
      label,
      labelArrow: "none",
      grid: true,
      nice: true,
      ticks: 5,
      tickSize: 0,
    },
    color: { type: "identity" },
    marks: [
      ...arms.flatMap((arm, i) => {
        const at = place(i);
        const facet = { fx: () => at.fx, fy: () => at.fy };
        const colour = colourOf(arm, palette);
        const band = arm.means.flatMap(({ generation, mean: { interval } }) =>
          interval
            ? [
                {
                  x: generation,
                  low: 100 * within(extent, interval.low),
                  high: 100 * within(extent, interval.high),
                },
              ]
            : [],
        );
        const means = meansOf(arm);
        return [
          ...arms.flatMap((other, j) =>
            j === i
              ? []
              : [
                  Plot.lineY(meansOf(other), {
                    ...facet,
                    x: "x",
                    y: "y",
                    stroke: palette.soft,
                    strokeOpacity: 0.28,
                  }),
                  ...(other.means.length === 1
                    ? [
                        Plot.dot(meansOf(other), {
                          ...facet,
                          x: "x",
                          y: "y",
                          r: 2.4,
                          fill: palette.soft,
                          fillOpacity: 0.28,
                        }),
                      ]
                    : []),
                ],
          ),
          ...(band.length > 1
            ? [Plot.areaY(band, { ...facet, x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.2 })]
            : [
                Plot.ruleX(band, {
                  ...facet,
                  x: "x",
                  y1: "low",
                  y2: "high",
                  stroke: colour,
                  strokeOpacity: 0.3,
                  strokeWidth: 6,
                }),
              ]),
          ...arm.lines.map(({ values }) =>
            Plot.lineY(
              values.map(({ generation, value }) => ({ x: generation, y: 100 * value })),
              { ...facet, x: "x", y: "y", stroke: colour, strokeOpacity: 0.6, strokeWidth: 0.9 },
            ),
          ),
          Plot.dot(
            arm.lines.flatMap(({ seed, values }) =>
              values.map(({ generation, value }) => ({ x: generation, y: 100 * value, seed })),
            ),
            {
              ...facet,
              x: "x",
              y: "y",
              r: 1.9,
              fill: colour,
              title: ({ seed, y }: { seed: number; y: number }) => `seed ${seed}: ${y.toFixed(2)}`,
            },
          ),
          Plot.lineY(means, { ...facet, x: "x", y: "y", stroke: colour, strokeWidth: 2.6 }),
          ...(means.length === 1
            ? [Plot.dot(means, { ...facet, x: "x", y: "y", r: 4.8, fill: colour })]
            : []),
          Plot.text([arm.name], {
            ...facet,
            text: (name: string) => fitText(name, 14.5, width / columns - 45),
            frameAnchor: "top-left",
            lineAnchor: "bottom",
            dy: -6,
            fill: colour,
            fontWeight: 600,
            fontSize: 13,
          }),
        ];
      }),
    ],
  });
}
