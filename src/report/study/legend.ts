/** The legend of a figure, for the page and for a file. */
import { type Html, html } from "../html.js";
import type { LegendEntry } from "./figure.js";
import type { Palette } from "./palette.js";
import { fitText, textWidth } from "./text-width.js";

const size = 12;
const gap = 6;
/** The width of lines; dots are narrower. */
const longest = 22;
const widthOf = ({ mark }: LegendEntry) => (["line", "dashed", "band"].includes(mark) ? longest : 11);
const rowHeight = 20;

/** Makes the legend as a list whose rows break where the page is narrow. */
export function legendList(entries: readonly LegendEntry[], palette: Palette): Html {
  return html`<ul class="legend">${entries.map(
    (entry) =>
      html`<li><svg width="${widthOf(entry)}" height="12" viewBox="0 -6 ${widthOf(entry)} 12" aria-hidden="true">${markOf(entry, palette)}</svg>${entry.label}</li>`,
  )}</ul>`;
}

/**
 * Draws the legend in rows of some width.
 *
 * @returns the marks and texts from (0, 0) on, and the height that they take
 */
export function legendRows(
  entries: readonly LegendEntry[],
  palette: Palette,
  width: number,
): { svg: Html; height: number } {
  let x = 0;
  let row = 0;
  const drawn = entries.map((entry) => {
    const label = fitText(entry.label, size, width - longest - gap);
    const room = widthOf(entry) + gap + textWidth(label, size);
    if (x > 0 && x + room > width) {
      x = 0;
      row++;
    }
    const left = x;
    x += room + 12;
    return html`<g transform="translate(${left},${(row + 0.5) * rowHeight})">${markOf(entry, palette)}<text x="${widthOf(entry) + gap}" y="0.35em" fill="${palette.ink}">${label}</text></g>\n`;
  });
  return { svg: html`${drawn}`, height: entries.length > 0 ? (row + 1) * rowHeight : 0 };
}

/** Draws an entry's mark, from x = 0 on and around y = 0. */
function markOf(entry: LegendEntry, palette: Palette): Html {
  const c = entry.colour(palette);
  const width = widthOf(entry);
  const middle = width / 2;
  switch (entry.mark) {
    case "dot":
      return html`<circle cx="${middle}" r="5" fill="${c}"/>`;
    case "hollow":
      return html`<circle cx="${middle}" r="4.2" fill="none" stroke="${c}" stroke-width="1.8"/>`;
    case "small":
      return html`<circle cx="${middle}" r="2" fill="${c}"/>`;
    case "diamond":
      return html`<path d="M${middle},-5.5L${middle + 5.5},0L${middle},5.5L${middle - 5.5},0Z" fill="${c}"/>`;
    case "line":
      return html`<path d="M0,0H${width}" stroke="${c}" stroke-width="2.2"/>`;
    case "dashed":
      return html`<path d="M0,0H${width}" stroke="${c}" stroke-width="1.6" stroke-dasharray="3 3"/>`;
    case "bar":
      return html`<path d="M${middle},-6V6" stroke="${c}" stroke-width="2.4" stroke-opacity="0.6"/>`;
    case "band":
      return html`<rect y="-5" width="${width}" height="10" fill="${c}" fill-opacity="0.22"/>`;
  }
}
