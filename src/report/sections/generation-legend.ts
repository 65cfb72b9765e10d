import type { EpochRecord, GenerationResult } from "../../runs/types.js";
import { colourOf } from "../charts.js";
import { type Html, html } from "../html.js";
import { nameOf } from "../numbers.js";

/** Names the generations beside their colours. */
export function generationLegend(
  generations: readonly Pick<GenerationResult | EpochRecord, "generation" | "role">[],
  ensembles: boolean,
): Html {
  return html`<ul class="legend">${generations.map(
    ({ generation, role }) =>
      html`<li><i style="background:${colourOf(generation)}"></i>${nameOf(generation, role)}</li>`,
  )}${
    ensembles
      ? html`<li><i class="dashed" style="color:var(--ensemble)"></i>ensemble up to here</li>`
      : undefined
  }</ul>`;
}
