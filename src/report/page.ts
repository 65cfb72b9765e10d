import { type Recipe, recipeToYaml } from "../recipe/index.js";
import { differencesOfBits, type Sittings } from "../runs/index.js";
import type { EpochRecord, GenerationResult, Summary } from "../runs/types.js";
import type { TransferResult } from "../transfer/index.js";
import {
  accuracyChart,
  accuracyCurves,
  colourOf,
  lossChart,
  rankChart,
  reliabilityChart,
  termColour,
} from "./charts.js";
import type { ClassKnowledge } from "./class-knowledge.js";
import type { Comparison } from "./comparison.js";
import { type Example, howChosen } from "./examples.js";
import { factsOf } from "./facts.js";
import { headline } from "./headline.js";
import { Html, html } from "./html.js";
import { count, duration, fixed, nameOf, percent, plural } from "./numbers.js";
import { type ResultRows, resultRows } from "./result-rows.js";
import { scrollable } from "./scrollable.js";
import { style } from "./style.js";
import { tableFigure } from "./table-figure.js";
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
${environmentFacts(data.environment, summary)}
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

function definitions(entries: readonly (readonly [string, string | undefined])[]): Html {
  const present = entries.filter(([, value]) => value !== undefined);
  return html`<dl class="facts">${present.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}

function generationLegend(generations: readonly GenerationResult[], ensembles: boolean): Html {
  return html`<ul class="legend">${generations.map(
    ({ generation, role }) =>
      html`<li><i style="background:${colourOf(generation)}"></i>${nameOf(generation, role)}</li>`,
  )}${
    ensembles
      ? html`<li><i class="dashed" style="color:var(--ensemble)"></i>ensemble up to here</li>`
      : undefined
  }</ul>`;
}

function resultFigure(summary: Summary): Html {
  return tableFigure(
    resultRows("report", summary),
    "All on the test images, read once a generation, after its last epoch.",
  );
}

/** What the networks know beside the best class; runs that were made before these metrics have none of them. */
function knowledgeFigure(summary: Summary): Html | undefined {
  const rows = resultRows("knowledge", summary);
  if (rows.headings.length === 0) return undefined;
  return tableFigure(rows, "All on the test images.");
}

function reliabilitySection(generations: readonly GenerationResult[]): Html | undefined {
  if (!generations.some(({ test }) => test.reliability)) return undefined;
  return html`<h2>How far the scores can be trusted</h2>
<figure>
${generationLegend(generations, false)}
${scrollable("Accuracy by top score", reliabilityChart(generations))}
<figcaption>The test images in 15 bins by their top score: how high it is, and how many of them are right. On the dashed
line a network is right as often as its scores say; below it, it is too sure. The larger a dot, the more images.</figcaption>
</figure>`;
}

function classSection({ networks, hardest, confused, all }: ClassKnowledge): Html {
  const last = networks.at(-1)!;
  const rowsOf = (classes: ClassKnowledge["all"]): ResultRows => ({
    headings: [...networks, "images"],
    rows: classes.map(({ className, images, accuracies }) => [
      className,
      ...accuracies.map((accuracy) => percent(accuracy, 1)),
      count(images),
    ]),
    notes: [],
  });
  const mixed: ResultRows = {
    headings: ["taken for", "images"],
    rows: confused.map(({ className, takenFor, images, of }) => [
      className,
      takenFor,
      `${count(images)} of ${count(of)}`,
    ]),
    notes: [],
  };
  return html`<h2>Which classes are hard</h2>
<div class="pair">${tableFigure(rowsOf(hardest), `The classes of which the ${last} gets fewest right.`, { first: "class" })}
${confused.length > 0 ? tableFigure(mixed, `What the ${last} most often takes for something else.`, { first: "class" }) : undefined}</div>
<details><summary>All ${count(all.length)} classes</summary>${tableFigure(rowsOf(all), "Right among the test images of each class.", { first: "class" })}</details>`;
}

/** Shows how accuracy grew; nothing where the log is gone. */
function curveSection(metrics: readonly EpochRecord[]): Html | undefined {
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

function lossSection(metrics: readonly EpochRecord[], termLabel: ReportData["termLabel"] = inWords): Html {
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
function inWords(term: string): string {
  if (term === "hard") return "labels (cross-entropy)";
  if (term === "soft") return "teacher (KL divergence)";
  return term.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function exampleSection(examples: Example[] | string): Html {
  if (typeof examples === "string") return html`<p class="empty">None here: ${examples}.</p>`;
  return html`<p class="note">${howChosen} The five highest scores of each network; what the image is stands in bold.</p>
${exampleCards(examples)}`;
}

function differentSection(examples: readonly Example[]): Html | undefined {
  if (examples.length === 0) return undefined;
  return html`<h2>Where patriarch and last student differ most</h2>
<p class="note">The test images with the largest Jensen-Shannon divergence between their scores.</p>
${exampleCards(examples)}`;
}

function exampleCards(examples: readonly Example[]): Html {
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

function environmentFacts(environment: Sittings | undefined, { seconds }: Summary): Html {
  if (!environment) return html`<p class="empty">There is no environment.json in the run folder.</p>`;
  const { machine, lyceum, node, libtorch, commit, threads, device, commandLine, date } = environment;
  const { resumed, changes = [] } = environment;
  const moved = resumed.filter(
    (sitting, i) => differencesOfBits(resumed[i - 1] ?? environment, sitting).length > 0,
  );
  return definitions([
    ["software", `Lyceum ${lyceum}, libtorch ${libtorch}, Node.js ${node}`],
    ["commit", commit],
    [
      "machine",
      `${machine.cpu}, ${plural(machine.cores, "core")}, ${machine.memoryGiB} GiB; ${machine.os}, ${machine.arch}`,
    ],
    ["device", `${device}, ${plural(threads, "thread")}`],
    ["begun", date],
    [
      "gone on elsewhere",
      moved.length > 0
        ? moved
            .map(
              ({ date, machine, libtorch, threads }) =>
                `${date}: ${machine.cpu}, libtorch ${libtorch}, ${plural(threads, "thread")}`,
            )
            .join("; ")
        : undefined,
    ],
    [
      "changed",
      changes.length > 0
        ? changes
            .map(
              ({ firstGeneration, keys, generations, epochs }) =>
                `from generation ${firstGeneration} on: ${keys.join(", ")} (then ${plural(generations, "generation")}, ${plural(epochs, "epoch")})`,
            )
            .join("; ")
        : undefined,
    ],
    ["time", `${duration(seconds)} in all, evaluation included`],
    ["command", commandLine],
  ]);
}
