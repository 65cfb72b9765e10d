import { type Html, html } from "./html.js";
import type { ResultRows } from "./result-rows.js";

/** Lays rows out as a table with a caption and its notes. */
export function tableFigure({ headings, rows, notes }: ResultRows, caption: string): Html {
  const cells = (row: readonly string[]) => row.map((text) => html`<td>${text}</td>`);
  return html`<figure><div class="scroll"><table>
<thead><tr><th></th>${headings.map((heading) => html`<th>${heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody></table></div>
<figcaption>${caption}
${notes.map((note) => ` ${note[0]!.toUpperCase()}${note.slice(1)}.`)}</figcaption></figure>`;
}
