import * as Plot from "@observablehq/plot";
import type { Palette } from "../palette.js";
import { fitText } from "../text-width.js";

/** Titles above panels that stand side by side, as marks of the chart. */
export function panelTitles(
  panels: readonly string[],
  palette: Palette,
  { width }: { width: number },
): Plot.Markish[] {
  return [
    Plot.text(panels, {
      fx: (panel: string) => panel,
      text: (panel: string) => fitText(panel, 13, width / panels.length - 30),
      frameAnchor: "top-left",
      lineAnchor: "bottom",
      dy: -8,
      dx: 2,
      fill: palette.ink,
      fontWeight: 600,
      fontSize: 13,
    }),
  ];
}
