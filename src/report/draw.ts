import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Html, html } from "./html.js";

/** Takes the style sheet of Plot out of its pictures: a page has its own, and other programs do not read it. */
const plotStyle = /<style>[^<]*<\/style>/;

/** What is used of an element that Plot has made. */
interface Drawn {
  outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ removeAttribute(name: string): void }>;
}

/**
 * Draws a chart as an SVG element that can stand in a page, or inside an SVG file, whose namespace it takes.
 *
 * @param options.alt says what the picture shows to people who cannot see it; it may hold any text
 * @param options.font the names of fonts, best first
 */
export function draw({
  alt,
  font = "inherit",
  ...options
}: Omit<Plot.PlotOptions, "ariaLabel" | "style"> & { alt: string; font?: string }): Html {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const style = { fontSize: "12px", background: "none", overflow: "visible", fontFamily: font };
  const plot = Plot.plot({ ...options, style, document }) as unknown as Drawn;
  // The picture as a whole has a name; names of its parts are for nobody, and not allowed within it.
  for (const part of plot.querySelectorAll("g")) {
    for (const name of ["aria-label", "aria-description"]) part.removeAttribute(name);
  }
  const opening = html`<svg role="img" aria-label="${alt}"`;
  return new Html(plot.outerHTML.replace(plotStyle, "").replace("<svg", () => String(opening)));
}
