/** The part of a run's page about how well the networks' features serve on other images. */
import * as Plot from "@observablehq/plot";
import { classifiers, pairedSpread, type Spread, spreadOf, type TransferResult } from "../transfer/index.js";
import { termColour } from "./charts.js";
import { draw } from "./draw.js";
import { type Html, html } from "./html.js";
import { count, nameOf } from "./numbers.js";
import type { ResultRows } from "./result-rows.js";
import { scrollable } from "./scrollable.js";
import { tableFigure } from "./table-figure.js";

const labels = new Map<string, string>(classifiers.map(({ name, label }) => [name, label]));
const labelOf = (classifier: string) => labels.get(classifier) ?? classifier;

/** Shows each transfer by a curve over the generations and a table; nothing where there is none. */
export function transferSection(results: readonly TransferResult[]): Html | undefined {
  if (results.length === 0) return undefined;
  return html`<h2>How well the features serve elsewhere</h2>
${results.map(figures)}`;
}

function figures(result: TransferResult): Html {
  const { name, images, classes, layer, generations, splits, scaling } = result;
  const most = result.shots.at(-1)!;
  const of = most === null ? "all training images" : `${most} training images of each class`;
  const used = generations[0]!.results.filter(({ shots }) => shots === most);
  const scaled = { standardise: "standardised", l2: "of length 1 each", none: "not scaled" }[scaling];
  return html`<h3>${name}</h3>
<p class="note">${count(images.train)} training and ${count(images.test)} test images of ${count(classes)} classes;
the features are ${layer}, ${count(generations[0]!.features)} numbers an image, for linear classifiers ${scaled}.</p>
<figure>
<ul class="legend">${used.map(
    ({ classifier }, i) =>
      html`<li><i class="stroke" style="color:${termColour(i)}"></i>${labelOf(classifier)}</li>`,
  )}</ul>
${scrollable(`Right among the test images of ${name}`, transferChart(result, most))}
<figcaption>Right among the test images, by ${of}. The axis does not start at 0.${
    splits > 1 ? ` Bars: one standard deviation over ${splits} draws of the training images.` : ""
  }</figcaption>
</figure>
${result.shots.map((shots) => tableFigure(rowsOf(result, shots), captionOf(result, shots)))}`;
}

function captionOf({ splits, folds }: TransferResult, shots: number | null): string {
  const images = shots === null ? "All training images" : `${shots} training images of each class`;
  const draws =
    splits > 1
      ? `: mean ± standard deviation over ${splits} draws, which are the same for every network; differences draw by draw`
      : "";
  return `${images}${draws}. C is chosen by ${folds}-fold cross-validation on the training images.`;
}

function rowsOf({ generations }: TransferResult, shots: number | null): ResultRows {
  const entries = generations.map(({ results }) => results.filter((entry) => entry.shots === shots));
  const first = entries[0]!;
  const base = nameOf(generations[0]!.generation, generations[0]!.role);
  const differences = generations.slice(1).map(({ generation, role }, i) => [
    `${nameOf(generation, role)} − ${base}`,
    ...entries[i + 1]!.flatMap((entry, j) => {
      const other = first[j];
      if (other?.top1.length !== entry.top1.length) return ["", ""];
      return [
        points(pairedSpread(entry.top1, other.top1), "+"),
        points(pairedSpread(entry.meanClassAccuracy, other.meanClassAccuracy), "+"),
      ];
    }),
  ]);
  return {
    headings: first.flatMap(({ classifier }) => [`${labelOf(classifier)}, top-1 (%)`, "mean of classes (%)"]),
    rows: [
      ...generations.map(({ generation, role }, i) => [
        nameOf(generation, role),
        ...entries[i]!.flatMap(({ top1, meanClassAccuracy }) => [
          points(spreadOf(top1)),
          points(spreadOf(meanClassAccuracy)),
        ]),
      ]),
      ...differences,
    ],
    notes: [],
  };
}

function points({ mean, deviation }: Spread, plus = ""): string {
  const spread = deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(2)}`;
  return `${mean > 0 ? plus : ""}${(100 * mean).toFixed(2)}${spread}`;
}

/** Draws the accuracy of each classifier by generation. */
function transferChart({ name, generations }: TransferResult, shots: number | null): Html {
  const data = generations.flatMap(({ generation, role, results }) =>
    results
      .filter((entry) => entry.shots === shots)
      .map(({ classifier, top1 }, i) => {
        const { mean, deviation = 0 } = spreadOf(top1);
        return {
          ...{ place: nameOf(generation, role), classifier, colour: termColour(i) },
          ...{ top1: 100 * mean, low: 100 * (mean - deviation), high: 100 * (mean + deviation) },
        };
      }),
  );
  const marks = { x: "place", y: "top1", z: "classifier" } as const;
  return draw({
    alt: `Accuracy on ${name} by generation, for each classifier of the features`,
    width: 860,
    height: 300,
    marginTop: 28,
    marginBottom: 34,
    marginLeft: 52,
    marginRight: 24,
    x: {
      ...{ type: "point", label: null, padding: 0.4 },
      domain: generations.map(({ generation, role }) => nameOf(generation, role)),
    },
    y: { label: "right among the test images (%)", grid: true, nice: true, ticks: 6 },
    marks: [
      Plot.ruleX(data, {
        x: "place",
        y1: "low",
        y2: "high",
        stroke: "colour",
        strokeOpacity: 0.45,
        strokeWidth: 2,
      }),
      Plot.lineY(data, { ...marks, stroke: "colour", strokeWidth: 2 }),
      Plot.dot(data, { ...marks, r: 4.5, fill: "colour" }),
    ],
  });
}
