import * as Plot from "@observablehq/plot";
import { draw } from "../../draw.js";
import type { Html } from "../../html.js";
import type { Palette } from "../palette.js";
import { textWidth } from "../text-width.js";

/** What the heat map of a search shows. */
export interface HeatMapData {
  /** What the colour stands for: "held-out accuracy of student 2 (%)". */
  label: string;
  /** The names of the two options, and their values in order. */
  x: { name: string; values: string[] };
  y: { name: string; values: string[] };
  /** The accuracy at pairs of values; a fraction. */
  cells: { x: string; y: string; value: number }[];
}

/** From pale to dark blue with even steps of lightness: on paper without colours the order remains. */
const colours = ["#f2f6fb", "#cfe0f1", "#9fc4e3", "#63a0cf", "#2f77b4", "#0f4d86", "#08305b"];

/** Draws the accuracy at each pair of two options' values; the best pair has a frame. */
export function heatMap({ label, x, y, cells }: HeatMapData, palette: Palette): Html {
  const values = cells.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const best = cells.filter(({ value }) => value === most);
  const shade = (value: number) => (most > least ? (value - least) / (most - least) : 0.5);
  const left = 24 + Math.max(textWidth(y.name, 12) / 2, ...y.values.map((value) => textWidth(value, 12)));
  const width = left + 24 + Math.min(110, 720 / x.values.length) * x.values.length;
  return draw({
    alt: `${label} by ${x.name} and ${y.name}: ${cells.map((cell) => `${cell.x}, ${cell.y}: ${(100 * cell.value).toFixed(2)}`).join("; ")}`,
    font: palette.font,
    width: Math.max(width, left + 20 + textWidth(label, 12)),
    height: 84 + 46 * y.values.length,
    marginTop: 40,
    marginBottom: 44,
    marginLeft: left,
    marginRight: 16,
    x: {
      domain: x.values,
      label: x.name,
      labelArrow: "none",
      labelAnchor: "center",
      tickSize: 0,
      padding: 0.03,
    },
    y: {
      domain: y.values,
      label: y.name,
      labelArrow: "none",
      labelAnchor: "top",
      tickSize: 0,
      padding: 0.04,
      reverse: true,
    },
    color: {
      type: "linear",
      interpolate: "rgb",
      domain: colours.map((_, i) => i / (colours.length - 1)),
      range: colours,
    },
    marks: [
      Plot.cell(
        x.values.flatMap((column) => y.values.map((row) => ({ column, row }))),
        { x: "column", y: "row", fill: () => palette.card, stroke: palette.line, strokeDasharray: "2 3" },
      ),
      Plot.cell(cells, { x: "x", y: "y", fill: ({ value }: { value: number }) => shade(value) }),
      Plot.cell(best, { x: "x", y: "y", fill: "none", stroke: palette.arms[0]!, strokeWidth: 3.5 }),
      Plot.text(cells, {
        x: "x",
        y: "y",
        text: ({ value }: { value: number }) => (100 * value).toFixed(2),
        fill: ({ value }: { value: number }) => (shade(value) > 0.55 ? "#ffffff" : "#14202e"),
        fontWeight: 600,
      }),
    ],
  });
}
