import type { Html } from "../html.js";
import type { Palette } from "./palette.js";

/** The mark that stands for something in a legend. */
export interface LegendEntry {
  label: string;
  mark: "dot" | "hollow" | "small" | "diamond" | "line" | "dashed" | "bar" | "band";
  colour: (palette: Palette) => string;
}

/** A figure of a study, as the page shows it and as the files hold it. */
export interface Figure {
  /** The name of its files, such as "accuracy". */
  name: string;
  title: string;
  /** What stands below it: how to read it, and what the intervals are. */
  caption: string;
  legend: LegendEntry[];
  draw: (palette: Palette) => Html;
}
