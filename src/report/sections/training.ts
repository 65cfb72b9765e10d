import type { EpochRecord } from "../../runs/types.js";
import { accuracyCurves, colourOf, lossChart, termColour } from "../charts.js";
import { type Html, html } from "../html.js";
import { nameOf } from "../numbers.js";
import { scrollable } from "../scrollable.js";

/** Shows how accuracy grew; nothing where the log is gone. */
export function curveSection(metrics: readonly EpochRecord[]): Html | undefined {
  if (metrics.length === 0) return undefined;
  const generations = [...new Map(metrics.map((record) => [record.generation, record.role]))];
  const heldOut = metrics.some(({ validation }) => validation);
  return html`<figure><ul class="legend">${generations.map(
    ([generation, role]) =>
      html`<li><i style="background:${colourOf(generation)}"></i>${nameOf(generation, role)}</li>`,
  )}<li><i class="stroke"></i>training images</li>${
    heldOut ? html`<li><i class="dashed"></i>held-out images</li>` : undefined
  }</ul>
${scrollable("Accuracy by epoch", accuracyCurves(metrics))}
<figcaption>Right by epoch: of the augmented training images, each when it was trained on${
    heldOut ? ", and of the held-out images" : ""
  }.</figcaption></figure>`;
}

/**
 * Shows the loss of each generation, and the terms that it is made of.
 *
 * @param termLabel puts the name of a loss term into words
 */
export function lossSection(
  metrics: readonly EpochRecord[],
  termLabel: ((name: string) => string) | undefined = termInWords,
): Html {
  if (metrics.length === 0) return html`<p class="empty">There is no metrics.jsonl in the run folder.</p>`;
  const values = metrics.flatMap(({ trainLoss, terms, validation }) => [
    trainLoss,
    ...Object.values(terms),
    validation?.loss,
  ]);
  // Math.max(...values) would fail on a long training, which has more values than a call takes arguments.
  const highest = values.reduce<number>(
    (most, value) => (value !== undefined && Number.isFinite(value) ? Math.max(most, value) : most),
    0.01,
  );
  const runs = new Map<number, EpochRecord[]>();
  for (const record of metrics) {
    const known = runs.get(record.generation);
    if (known) known.push(record);
    else runs.set(record.generation, [record]);
  }
  const termNames = [...runs.values()].map((records) => Object.keys(records[0]!.terms));
  const positions = Math.max(...termNames.map((names) => names.length));
  const legend = Array.from({ length: positions }, (_, i) => {
    const names = [...new Set(termNames.map((all) => all[i]).filter((name) => name !== undefined))];
    return html`<li><i class="stroke" style="color:${termColour(i)}"></i>${names.map(termLabel).join(" / ")}</li>`;
  });
  return html`<figure><ul class="legend"><li><i class="stroke"></i>loss</li>${legend}${
    metrics.some(({ validation }) => validation)
      ? html`<li><i class="dashed"></i>cross-entropy, held-out images</li>`
      : undefined
  }</ul>
<div class="small">${[...runs].map(
    ([generation, records]) =>
      html`<div><h3>${nameOf(generation, records[0]!.role)}</h3>${lossChart(records, highest)}</div>`,
  )}</div>
<figcaption>By epoch, on the augmented training images. A patriarch and its students minimise different losses: compare
the terms, not the sums.</figcaption></figure>`;
}

/**
 * Puts the name of a loss term into words where no method does: "topScoreDifference" becomes "top score
 * difference".
 */
export function termInWords(term: string): string {
  if (term === "hard") return "labels (cross-entropy)";
  if (term === "soft") return "teacher (KL divergence)";
  return term.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
