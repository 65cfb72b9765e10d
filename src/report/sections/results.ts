import type { GenerationResult, Summary } from "../../runs/types.js";
import { reliabilityChart } from "../charts.js";
import { type Html, html } from "../html.js";
import { resultRows } from "../result-rows.js";
import { scrollable } from "../scrollable.js";
import { tableFigure } from "../table-figure.js";
import { generationLegend } from "./generation-legend.js";

/** Shows the results of all generations and ensembles as a table. */
export function resultFigure(summary: Summary): Html {
  return tableFigure(
    resultRows("report", summary),
    "All on the test images, read once a generation, after its last epoch.",
  );
}

/** What the networks know beside the best class; runs that were made before these metrics have none of them. */
export function knowledgeFigure(summary: Summary): Html | undefined {
  const rows = resultRows("knowledge", summary);
  if (rows.headings.length === 0) return undefined;
  return tableFigure(rows, "All on the test images.");
}

export function reliabilitySection(generations: readonly GenerationResult[]): Html | undefined {
  if (!generations.some(({ test }) => test.reliability)) return undefined;
  return html`<h2>How far the scores can be trusted</h2>
<figure>
${generationLegend(generations, false)}
${scrollable("Accuracy by top score", reliabilityChart(generations))}
<figcaption>The test images in 15 bins by their top score: how high it is, and how many of them are right. On the dashed
line a network is right as often as its scores say; below it, it is too sure. The larger a dot, the more images.</figcaption>
</figure>`;
}
