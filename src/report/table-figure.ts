import { type Html, html } from "./html.js";
import type { ResultRows } from "./result-rows.js";
import { scrollable } from "./scrollable.js";

/**
 * Lays rows out as a table with a caption and its notes.
 *
 * @param first the heading of the first column
 */
export function tableFigure(
  { headings, rows, notes }: ResultRows,
  caption: string,
  { first = "network" }: { first?: string } = {},
): Html {
  const cells = (row: readonly string[]) => row.map((text) => html`<td>${text}</td>`);
  const table = html`<table>
<thead><tr>${[first, ...headings].map((heading) => html`<th>${heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody></table>`;
  return html`<figure>${scrollable(caption, table)}
<figcaption>${caption}
${notes.map((note) => ` ${note[0]!.toUpperCase()}${note.slice(1)}.`)}</figcaption></figure>`;
}
