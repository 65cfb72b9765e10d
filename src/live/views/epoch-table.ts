import { type Html, html } from "../../report/html.js";
import { count, fixed, nameOf, percent, plural } from "../../report/numbers.js";
import { scrollable } from "../../report/scrollable.js";
import type { EpochRecord } from "../../runs/index.js";

/** The most rows, beyond which epochs are left out evenly. */
const MOST_ROWS = 60;

/**
 * The numbers behind the curves, for those who do not see these.
 *
 * @param of the run, where several are shown
 */
export function epochTable(records: readonly EpochRecord[], of?: string): Html {
  const stride = Math.max(1, Math.ceil(records.length / MOST_ROWS));
  const shown = records.filter((_, i) => i % stride === 0 || i === records.length - 1);
  const terms = [...new Set(records.flatMap((record) => Object.keys(record.terms)))].slice(0, 8);
  const heldOut = records.some(({ validation }) => validation);
  return html`<details data-key="epochs"><summary>As a table${of === undefined ? "" : `: ${of}`}</summary><figure>${scrollable(
    of === undefined ? "Numbers by epoch" : `Numbers by epoch of ${of}`,
    html`<table><thead><tr><th>network</th><th>epoch</th><th>loss</th>${terms.map((term) => html`<th>${term}</th>`)}<th>training images right</th>${
      heldOut ? html`<th>held-out images right</th>` : undefined
    }<th>learning rate</th><th>images/s</th></tr></thead>
<tbody>${shown.map(
      ({
        generation,
        role,
        epoch,
        trainLoss,
        terms: values,
        trainTop1,
        validation,
        learningRate,
        imagesPerSecond,
      }) =>
        html`<tr><td>${nameOf(generation, role)}</td><td>${count(epoch)}</td><td>${fixed(trainLoss)}</td>${terms.map(
          (term) => html`<td>${values[term] === undefined ? "" : fixed(values[term])}</td>`,
        )}<td>${percent(trainTop1)}</td>${heldOut ? html`<td>${validation ? percent(validation.top1) : ""}</td>` : undefined}<td>${learningRate.toPrecision(3)}</td><td>${count(imagesPerSecond)}</td></tr>\n`,
    )}</tbody></table>`,
  )}<figcaption>${plural(shown.length, "epoch")} of ${count(records.length)}.</figcaption></figure></details>`;
}
