import * as Plot from "@observablehq/plot";
import type { MeanEstimate } from "../../../study/statistics/index.js";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import { type Outcome, outcomeName } from "../outcomes.js";
import type { Palette } from "../palette.js";
import { colourOf, dashOf, type Series } from "../series.js";
import { textWidth } from "../text-width.js";
import { extentOf, within } from "./extent.js";

/** A metric's values in one arm, for one network of the line or one ensemble. */
export interface Point extends Outcome {
  mean: MeanEstimate;
  /** The value for each seed. */
  seeds: number[];
}

/** What a chart of a metric by generation shows. */
export interface ByGenerationData {
  /** The name of the axis, such as "test accuracy (%)". */
  label: string;
  /** What the values are multiplied with: 100 for fractions that are shown in percent. */
  scale: number;
  arms: (Series & { points: Point[] })[];
  /** A level to compare with, such as what chance gives. */
  level?: { value: number; label: string } | undefined;
  height: number;
}

/** The part of the room between two generations that the arms take up together. */
const spread = 0.74;
/** The room between the networks and the ensembles, in generations. */
const gap = 0.3;

/**
 * Draws a metric by generation for every arm, the networks on the left and the ensembles on the right. The arms
 * stand side by side, so that no interval hides another.
 */
export function byGenerationChart(
  { label, scale, arms, level, height }: ByGenerationData,
  palette: Palette,
): Html {
  const all = arms.flatMap(({ points }) => points);
  const extent = extentOf(all, level ? [level.value] : []);
  const generations = 1 + Math.max(0, ...all.filter(isNetwork).map(({ generation }) => generation));
  const members = [
    ...new Set(all.filter((point) => !isNetwork(point)).map(({ generation }) => generation)),
  ].sort((a, b) => a - b);
  const step = spread / Math.max(2, arms.length);
  const lane = (arm: number) => (arm - (arms.length - 1) / 2) * step;
  const columnOf = ({ kind, generation }: Outcome) =>
    kind === "network" ? generation : generations + gap + members.indexOf(generation);
  const points = arms.flatMap((arm, i) =>
    arm.points.map((point) => ({
      x: columnOf(point) + lane(i),
      arm: i,
      kind: point.kind,
      colour: colourOf(arm, palette),
      mean: scale * point.mean.mean,
      ends: point.mean.interval && [point.mean.interval.low, point.mean.interval.high],
      title: `${arm.name}, ${outcomeName(point)}: ${(scale * point.mean.mean).toFixed(2)}`,
    })),
  );
  const intervals = points.flatMap(({ x, colour, ends }) =>
    ends
      ? [{ x, colour, low: scale * within(extent, ends[0]!), high: scale * within(extent, ends[1]!) }]
      : [],
  );
  const seeds = arms.flatMap((arm, i) =>
    arm.points.flatMap((point) =>
      point.seeds.length > 1
        ? point.seeds.map((value) => ({
            x: columnOf(point) + lane(i),
            y: scale * value,
            colour: colourOf(arm, palette),
          }))
        : [],
    ),
  );
  const columns: (Outcome & { x: number })[] = [
    ...Array.from({ length: generations }, (_, generation) => ({ kind: "network" as const, generation })),
    ...members.map((generation) => ({ kind: "ensemble" as const, generation })),
  ].map((outcome) => ({ ...outcome, x: columnOf(outcome) }));
  const width = 860;
  const columnWidth = (width - 64) / (columns.at(-1)!.x + 1);
  const end = generations - 0.5 + (members.length > 0 ? gap / 2 : 0);
  // A line without students goes on as a dotted level, to be compared with the students of the others.
  const alone = arms.flatMap((arm, i) => {
    const networks = arm.points.filter(isNetwork);
    return networks.length === 1 && generations > 1
      ? [
          {
            colour: colourOf(arm, palette),
            x: networks[0]!.generation + lane(i),
            y: scale * networks[0]!.mean.mean,
          },
        ]
      : [];
  });
  const r = arms.length > 8 ? 3.6 : 4.8;
  return draw({
    alt: `${label} by generation, for ${arms.map(({ name }) => name).join(", ")}`,
    font: palette.font,
    width,
    height,
    marginTop: 30,
    marginBottom: 40,
    marginLeft: 48,
    marginRight: 16,
    x: { domain: [-0.5, columns.at(-1)!.x + 0.5], axis: null },
    y: {
      domain: extent.map((end) => scale * end),
      label,
      labelArrow: "none",
      grid: true,
      nice: true,
      ticks: 7,
      tickSize: 0,
    },
    color: { type: "identity" },
    marks: [
      Plot.ruleX(
        columns.slice(1).map(({ x }, i) => (x + columns[i]!.x) / 2),
        { stroke: palette.line },
      ),
      ...(members.length > 0
        ? [
            Plot.ruleX([end], { stroke: palette.soft }),
            Plot.text([end], {
              x: (x: number) => x,
              text: () => "ensembles of generations",
              frameAnchor: "top",
              textAnchor: "start",
              lineAnchor: "bottom",
              dx: 2,
              dy: -17,
              fill: palette.ink,
            }),
          ]
        : []),
      ...(level
        ? [
            Plot.ruleY([scale * level.value], { stroke: palette.soft, strokeDasharray: "6 4" }),
            Plot.text([level], {
              text: () => level.label,
              y: scale * level.value,
              frameAnchor: "right",
              textAnchor: "end",
              dx: -6,
              dy: -9,
              fill: palette.soft,
            }),
          ]
        : []),
      ...alone.map(({ colour, x, y }) =>
        Plot.ruleY([y], {
          x1: x,
          x2: end,
          stroke: colour,
          strokeOpacity: 0.8,
          strokeDasharray: "1.5 4",
          strokeWidth: 1.6,
        }),
      ),
      ...arms.map((arm, i) =>
        Plot.lineY(
          points.filter((point) => point.arm === i && isNetwork(point)),
          {
            x: "x",
            y: "mean",
            stroke: colourOf(arm, palette),
            strokeWidth: 1.4,
            strokeOpacity: 0.55,
            strokeDasharray: dashOf(arm, palette),
          },
        ),
      ),
      Plot.ruleX(intervals, {
        x: "x",
        y1: "low",
        y2: "high",
        stroke: "colour",
        strokeWidth: 2.4,
        strokeOpacity: 0.55,
      }),
      Plot.dot(seeds, { x: "x", y: "y", dx: r + 3.5, r: 1.7, fill: "colour", fillOpacity: 0.6 }),
      ...(["network", "ensemble"] as const).map((kind) =>
        Plot.dot(
          points.filter((point) => point.kind === kind),
          {
            x: "x",
            y: "mean",
            symbol: kind === "network" ? "circle" : "diamond2",
            r: kind === "network" ? r : r + 0.6,
            fill: "colour",
            stroke: palette.card,
            title: "title",
          },
        ),
      ),
      Plot.text(columns, {
        x: "x",
        text: (column: Outcome) => columnName(column, columnWidth),
        frameAnchor: "bottom",
        lineAnchor: "top",
        dy: 10,
        fill: palette.ink,
      }),
    ],
  });
}

/** Names a column in the room that it has: "student 2", or "2"; an ensemble by its generations. */
function columnName(outcome: Outcome, room: number): string {
  if (outcome.kind === "ensemble") return `0–${outcome.generation}`;
  const name = outcomeName(outcome);
  return textWidth(name, 12) <= room ? name : String(outcome.generation);
}

const isNetwork = ({ kind }: { kind: Outcome["kind"] }) => kind === "network";
