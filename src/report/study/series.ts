/** The arms of a study as they are drawn: each with its name and a colour that is its own in all charts. */
import type { StudyResult } from "../../study/index.js";
import type { Palette } from "./palette.js";

/** An arm in a chart. */
export interface Series {
  name: string;
  /** The number of its colour in the palette, or the reference's own. */
  colour: number | "reference";
}

/** Gives every arm its colour, in the order of the study. */
export function seriesOf({ arms, reference }: Pick<StudyResult, "arms" | "reference">): Series[] {
  let next = 0;
  return arms.map(({ name }) => ({ name, colour: name === reference ? "reference" : next++ }));
}

/** Gives the colour of an arm; from the 13th on they repeat, with dashed lines. */
export function colourOf({ colour }: Series, palette: Palette): string {
  return colour === "reference" ? palette.reference : palette.arms[colour % palette.arms.length]!;
}

/** Says how the lines of an arm are dashed: the second round of colours is. */
export function dashOf({ colour }: Series, palette: Palette): string {
  return colour !== "reference" && colour >= palette.arms.length ? "4 3" : "none";
}
