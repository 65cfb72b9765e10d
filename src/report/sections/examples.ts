import { colourOf } from "../charts.js";
import { type Example, howChosen } from "../examples.js";
import { type Html, html } from "../html.js";
import { fixed } from "../numbers.js";

/** Shows examples of test images, or says why there are none. */
export function exampleSection(examples: Example[] | string): Html {
  if (typeof examples === "string") return html`<p class="empty">None here: ${examples}.</p>`;
  return html`<p class="note">${howChosen} The five highest scores of each network; what the image is stands in bold.</p>
${exampleCards(examples)}`;
}

export function differentSection(examples: readonly Example[]): Html | undefined {
  if (examples.length === 0) return undefined;
  return html`<h2>Where patriarch and last student differ most</h2>
<p class="note">The test images with the largest Jensen-Shannon divergence between their scores.</p>
${exampleCards(examples)}`;
}

export function exampleCards(examples: readonly Example[]): Html {
  const cards = examples.map(
    ({ index, picture, label, predictions }) => html`<div class="example">
<div><img src="${picture}" alt="test image ${index}"><div class="truth"><small>labelled</small>${label}<small>image ${index}</small></div></div>
<div class="predictions">${predictions.map(
      ({ name, generation, correct, best }) =>
        html`<div><h3>${name} <span>${correct ? "right" : "wrong"}</span></h3>${best.map(
          ({
            className,
            score,
            isLabel,
          }) => html`<div class="row${isLabel ? " label" : ""}"><span class="name">${className}</span>
<span class="value">${fixed(score, 2)}</span>
<span class="bar"><i style="width:${(100 * score).toFixed(1)}%;background:${colourOf(generation)}"></i></span></div>`,
        )}</div>`,
    )}</div></div>\n`,
  );
  return html`<div class="examples">${cards}</div>`;
}
