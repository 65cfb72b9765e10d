import { type Html, html } from "../html.js";

/** Lists headings and what stands under them; a heading without a text is left out. */
export function definitions(entries: readonly (readonly [string, string | undefined])[]): Html {
  const present = entries.filter(([, value]) => value !== undefined);
  return html`<dl class="facts">${present.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}
