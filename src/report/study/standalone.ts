import { type Html, html } from "../html.js";
import type { Figure } from "./figure.js";
import { legendRows } from "./legend.js";
import { filePalette } from "./palette.js";
import { fitText } from "./text-width.js";

const margin = 18;
const titleHeight = 30;

/**
 * Makes a figure's own SVG file: title, legend and chart on white, with its colours in it.
 *
 * @param study the study's title, which stands below the figure's
 */
export function standalone(figure: Figure, study: string): string {
  const chart = figure.draw(filePalette);
  const { width, height } = sizeOf(chart);
  const legend = legendRows(figure.legend, filePalette, width);
  const top = margin + titleHeight + 22;
  const chartTop = top + legend.height + 8;
  const total = { width: width + 2 * margin, height: chartTop + height + margin };
  const { ink, soft, card, font } = filePalette;
  // The chart's own text takes `currentColor` where it is given no colour.
  return String(html`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${total.width}" height="${total.height}" viewBox="0 0 ${total.width} ${total.height}" font-family="${font}" font-size="12" color="${ink}">
<title>${figure.title}</title>
<rect width="100%" height="100%" fill="${card}"/>
<text x="${margin}" y="${margin + 15}" font-size="18" font-weight="600" fill="${ink}">${fitText(figure.title, 18, width)}</text>
<text x="${margin}" y="${margin + 35}" fill="${soft}">${fitText(study, 12, width)}</text>
<g transform="translate(${margin},${top})">${legend.svg}</g>
<g transform="translate(${margin},${chartTop})">${chart}</g>
</svg>
`);
}

/** Reads the size that a chart says it has. */
function sizeOf(chart: Html): { width: number; height: number } {
  const opening = /^<svg[^>]*>/.exec(chart.text)?.[0] ?? "";
  const number = (name: string) => Number(new RegExp(` ${name}="([\\d.]+)"`).exec(opening)?.[1]);
  return { width: number("width"), height: number("height") };
}
