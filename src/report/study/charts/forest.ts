import * as Plot from "@observablehq/plot";
import type { Interval } from "../../../study/statistics/index.js";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import { plural } from "../../numbers.js";
import type { Palette } from "../palette.js";
import { colourOf, type Series } from "../series.js";
import { fitText, textWidth } from "../text-width.js";
import { type Extent, within } from "./extent.js";

/** A difference between an arm and the reference, over the same seeds; a fraction. */
export interface ForestRow {
  /** What is compared: "student 2". */
  name: string;
  kind: "network" | "ensemble";
  difference: number;
  /** The 95 % interval of this comparison by itself; undefined where one seed, or equal differences, give none. */
  interval: Interval | undefined;
  /** The interval that holds for all arms together; undefined where there is no other arm. */
  together: Interval | undefined;
  /** Whether the difference can be told from 0. */
  clear: boolean;
  /** The number of seeds. */
  seeds: number;
}

/** What the forest plot shows. */
export interface ForestData {
  /** The name of the axis: "accuracy above strict (points)". */
  label: string;
  arms: (Series & { rows: ForestRow[] })[];
}

const rowHeight = 21;

/**
 * Finds the ends of the axis: all differences, and the intervals as far as they leave the differences readable, which
 * those of two seeds may not. The intervals of all arms together go only a little beyond the others.
 */
export function forestExtent(rows: readonly ForestRow[]): Extent {
  const differences = [0, ...rows.map(({ difference }) => difference)];
  const [least, most] = [Math.min(...differences), Math.max(...differences)];
  const room = Math.max(2.5 * (most - least), 0.01);
  const within = (values: readonly number[]) => [
    Math.max(least - room, Math.min(least, ...values)),
    Math.min(most + room, Math.max(most, ...values)),
  ];
  const ends = (intervals: (Interval | undefined)[]) =>
    within(intervals.flatMap((interval) => (interval ? [interval.low, interval.high] : [])));
  const [low, high] = ends(rows.map(({ interval }) => interval)) as [number, number];
  const [lowest, highest] = ends(rows.map(({ together }) => together)) as [number, number];
  const more = Math.max(0.001, 0.15 * (high - low));
  return [Math.max(low - more, Math.min(low, lowest)), Math.min(high + more, Math.max(high, highest))];
}

/**
 * Draws paired differences as a forest plot: a row for each network and ensemble of each arm. The mark is
 * hollow where the difference cannot be told from 0.
 */
export function forestChart({ label, arms }: ForestData, palette: Palette): Html {
  const shown = arms.filter(({ rows }) => rows.length > 0);
  let y = 0;
  const headings: { y: number; text: string; colour: string }[] = [];
  const rows = shown.flatMap((arm, i) => {
    if (i > 0) y += 0.5;
    headings.push({ y: y++, text: fitText(arm.name, 13, 200), colour: colourOf(arm, palette) });
    return arm.rows.map((row) => ({
      y: y++,
      kind: row.kind,
      name: row.name,
      colour: colourOf(arm, palette),
      difference: 100 * row.difference,
      low: 100 * (row.interval?.low ?? row.difference),
      high: 100 * (row.interval?.high ?? row.difference),
      least: 100 * (row.together?.low ?? row.interval?.low ?? row.difference),
      most: 100 * (row.together?.high ?? row.interval?.high ?? row.difference),
      clear: row.clear,
      text: rowText(row),
    }));
  });
  const left =
    26 +
    Math.max(
      ...rows.map(({ name }) => textWidth(name, 12)),
      ...headings.map(({ text }) => textWidth(text, 13) - 20),
    );
  const right = 28 + Math.max(...rows.map(({ text }) => textWidth(text, 12)));
  const [from, to] = forestExtent(shown.flatMap((arm) => arm.rows));
  const extent: Extent = [100 * from, 100 * to];
  const top = 50;
  const mark = (kind: ForestRow["kind"], clear: boolean) =>
    Plot.dot(
      rows.filter((row) => row.kind === kind && row.clear === clear),
      {
        x: "difference",
        y: "y",
        symbol: kind === "network" ? "circle" : "diamond2",
        r: kind === "network" ? 4.8 : 5.4,
        fill: clear ? "colour" : palette.card,
        stroke: "colour",
        strokeWidth: 1.8,
        title: ({ name, text }: { name: string; text: string }) => `${name}: ${text}`,
      },
    );
  return draw({
    alt: `${label}: ${shown.map((arm) => `${arm.name}: ${arm.rows.map((row) => `${row.name} ${rowText(row)}`).join("; ")}`).join(". ")}`,
    font: palette.font,
    width: 860,
    height: top + (y + 0.4) * rowHeight,
    marginTop: top,
    marginBottom: 6,
    marginLeft: left,
    marginRight: right,
    x: {
      label: null,
      axis: "top",
      domain: extent,
      ticks: 8,
      tickFormat: (value: number) => (value > 0 ? `+${value}` : String(value).replace("-", "−")),
      tickSize: 0,
    },
    y: { domain: [y - 0.3, -0.7], axis: null },
    color: { type: "identity" },
    marks: [
      Plot.gridX({ ticks: 8, stroke: palette.line, strokeOpacity: 1 }),
      Plot.ruleX([0], { stroke: palette.ink, strokeWidth: 1.4 }),
      Plot.ruleY(rows, {
        x1: ({ least }: { least: number }) => within(extent, least),
        x2: ({ most }: { most: number }) => within(extent, most),
        y: "y",
        stroke: "colour",
        strokeWidth: 1,
        strokeOpacity: 0.7,
      }),
      Plot.ruleY(rows, {
        x1: ({ low }: { low: number }) => within(extent, low),
        x2: ({ high }: { high: number }) => within(extent, high),
        y: "y",
        stroke: "colour",
        strokeWidth: 3,
        strokeOpacity: 0.6,
      }),
      mark("network", true),
      mark("network", false),
      mark("ensemble", true),
      mark("ensemble", false),
      Plot.text(headings, {
        y: "y",
        text: "text",
        frameAnchor: "left",
        textAnchor: "start",
        dx: -left,
        fill: "colour",
        fontWeight: 600,
        fontSize: 13,
      }),
      Plot.text(rows, {
        y: "y",
        text: "name",
        frameAnchor: "left",
        textAnchor: "start",
        dx: 14 - left,
        fill: palette.ink,
      }),
      Plot.text(rows, {
        y: "y",
        text: "text",
        frameAnchor: "right",
        textAnchor: "end",
        dx: right,
        fill: palette.ink,
        fontVariant: "tabular-nums",
      }),
      Plot.text([label], {
        text: (text: string) => text,
        frameAnchor: "top-left",
        textAnchor: "start",
        lineAnchor: "bottom",
        dx: -left,
        dy: -32,
        fill: palette.ink,
      }),
    ],
  });
}

/** Writes a difference in points with its interval: "+0.62 (+0.20 to +1.04)". */
function rowText({ difference, interval, seeds }: ForestRow): string {
  const between = interval ? `${points(interval.low)} to ${points(interval.high)}` : plural(seeds, "seed");
  return `${points(difference)} (${between})`;
}

/** Writes a fraction in points with its sign. */
export function points(fraction: number): string {
  const text = (100 * fraction).toFixed(2);
  if (Number(text) === 0) return "0.00";
  return text.startsWith("-") ? `−${text.slice(1)}` : `+${text}`;
}
