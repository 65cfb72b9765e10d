import { type Html, html } from "./html.js";

/**
 * Holds what may be wider than the screen: it scrolls by itself, by the keyboard too, and a shadow at an edge shows that there is
 * more.
 *
 * @param label what it is, for people who cannot see it
 */
export function scrollable(label: string, content: Html): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${label}">${content}</div>`;
}
