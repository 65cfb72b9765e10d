import { type Recipe, recipeToYaml } from "../recipe/index.js";
import type { Sittings } from "../runs/index.js";
import type { EpochRecord, GenerationResult, Summary } from "../runs/types.js";
import type { TransferResult } from "../transfer/index.js";
import { accuracyChart, rankChart } from "./charts.js";
import type { ClassKnowledge } from "./class-knowledge.js";
import type { Comparison } from "./comparison.js";
import type { Example } from "./examples.js";
import { factsOf } from "./facts.js";
import { headline } from "./headline.js";
import { Html, html } from "./html.js";
import { plural } from "./numbers.js";
import { scrollable } from "./scrollable.js";
import { classSection } from "./sections/classes.js";
import { definitions } from "./sections/definitions.js";
import { environmentFacts } from "./sections/environment.js";
import { differentSection, exampleSection } from "./sections/examples.js";
import { generationLegend } from "./sections/generation-legend.js";
import { knowledgeFigure, reliabilitySection, resultFigure } from "./sections/results.js";
import { curveSection, lossSection } from "./sections/training.js";
import { style } from "./style.js";
import { transferSection } from "./transfer-section.js";

/** Everything that a report shows. */
export interface ReportData {
  /** The name of the run's folder, which tells two runs of one recipe apart. */
  run: string;
  recipe: Recipe;
  summary: Summary;
  metrics: EpochRecord[];
  environment: Sittings | undefined;
  /** The number of test images, where a generation's stored logits tell it. */
  testImages: number | undefined;
  /**
   * Compares the last network with the first; undefined where there is only one, or images or logits are
   * missing.
   */
  comparison: Comparison | undefined;
  /** Test images with the networks' predictions, or in words the reason why there are none. */
  examples: Example[] | string;
  /** The test images on which the first and the last network differ most; none where these are not two. */
  different: readonly Example[];
  /** What the last network knows of single classes; undefined where images or logits are missing. */
  classes: ClassKnowledge | undefined;
  /** How well the networks' features serve on other images, for each data set that was tried. */
  transfers?: readonly TransferResult[] | undefined;
  /** What the generations learn from, as rows of the table of facts: pairs of a heading and a text. */
  methodLines: readonly (readonly [string, string])[];
  /** Puts the name of a loss term into words. Default: the name with spaces. */
  termLabel?: ((name: string) => string) | undefined;
}

/** Makes the page, which is one self-contained file without scripts and without anything to fetch. */
export function page(data: ReportData): string {
  const { recipe, summary, metrics } = data;
  const { generations, ensembles } = summary;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${data.run}: ${summary.title} – Lyceum</title>
<style>${new Html(style)}</style>
</head>
<body><main>
<p class="kicker">Lyceum ${summary.lyceum} · training in generations · run ${data.run}</p>
<h1>${summary.title}</h1>
${headline(summary, data).map((sentence, i) => html`<p class="${i === 0 ? "headline" : ""}">${sentence}</p>`)}
${unfinished(recipe, generations)}
${definitions(factsOf(recipe, generations, data.methodLines))}

<h2>Accuracy by generation</h2>
<figure>
${generationLegend(generations, Object.keys(ensembles).length > 0)}
${scrollable("Accuracy by generation", accuracyChart(generations, ensembles, data.testImages))}
<figcaption>The axis does not start at 0. ${
    data.testImages === undefined
      ? ""
      : "Bars: 95 % intervals from the number of test images alone; seeds would add to them. "
  }A diamond is the ensemble of all generations up to that one: the mean of their scores.</figcaption>
</figure>

<h2>Results</h2>
${resultFigure(summary)}

<h2>How tolerant each generation is</h2>
<figure>
${generationLegend(generations, false)}
${scrollable("Mean score by rank", rankChart(generations))}
<figcaption>The mean score of the best class, of the second best, and so on. A strict network falls off steeply; a
tolerant one leaves some score to a few classes beside the best.</figcaption>
</figure>
${knowledgeFigure(summary)}

${reliabilitySection(generations)}

${data.classes && classSection(data.classes)}

${transferSection(data.transfers ?? [])}

<h2>Training</h2>
${curveSection(metrics)}
${lossSection(metrics, data.termLabel)}

<h2>A dozen test images</h2>
${exampleSection(data.examples)}
${differentSection(data.different)}

<h2>Made with</h2>
${environmentFacts(data.environment, summary.seconds)}
<details><summary>The whole recipe, all defaults written out</summary><pre>${recipeToYaml(recipe)}</pre></details>
</main></body>
</html>
`);
}

function unfinished(
  { generations: wanted }: Recipe,
  { length }: readonly GenerationResult[],
): Html | undefined {
  if (length >= wanted) return undefined;
  return html`<p class="warning">This run is not finished: ${length} of ${plural(wanted, "generation")} so far.</p>`;
}
