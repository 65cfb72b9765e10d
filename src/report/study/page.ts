import type { MetricTable } from "../../analysis/index.js";
import type { ArmResult, StudyResult, StudySentences } from "../../study/index.js";
import { Html, html } from "../html.js";
import { plural } from "../numbers.js";
import { scrollable } from "../scrollable.js";
import type { Figure } from "./figure.js";
import { legendList } from "./legend.js";
import { madeWith, type Provenance } from "./made-with.js";
import type { Outcome } from "./outcomes.js";
import { outcomesOf } from "./outcomes.js";
import { pagePalette } from "./palette.js";
import type { Series } from "./series.js";
import { studyStyle } from "./study-style.js";
import { accuracyTable, metricsTable } from "./summary-table.js";

/** Everything that the page of a study shows. */
export interface StudyPage {
  study: StudyResult;
  sentences: StudySentences;
  /** The figures above the table, and those below it. */
  figures: { first: readonly Figure[]; others: readonly Figure[] };
  /** The arms that have colours in the figures. */
  series: readonly Series[];
  provenance: Provenance;
  /** The version of Lyceum that writes the page. */
  lyceum: string;
}

/**
 * Makes the page of a study, one self-contained file without scripts and without anything to fetch: the verdict
 * first, then the figures that show it, the table, the rest, and how it was made.
 */
export function studyPage({ study, sentences, figures, series, provenance, lyceum }: StudyPage): string {
  const { headline, claims, differences, meetings, costs, notes } = sentences;
  const isSearch = study.part === "heldOut";
  /** What is said below a figure, by the figure's name. */
  const said: Record<string, Html | undefined> = isSearch
    ? {}
    : {
        accuracy: brief("Line by line", meetings),
        differences: html`${brief("The claim beside each rival", claims)}${folded("Every difference in words", differences)}`,
        cost: brief("What one more generation costs and gives", costs),
      };
  const table = (tables: readonly MetricTable[], caption: string) => {
    const made = metricsTable(study, series, { tables, outcomes: lastOutcomes });
    return made && html`<figure>${made}<figcaption>${caption}</figcaption></figure>`;
  };
  const withWords = (figure: Figure) => html`${section(figure)}${said[figure.name]}`;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${study.title} – Lyceum</title>
<style>${new Html(studyStyle)}</style>
</head>
<body><main>
<p class="kicker">Lyceum ${lyceum} · ${isSearch ? "a search on held-out images" : "a study"}, ${plural(study.arms.length, "arm")}, ${plural(study.seeds.length, "seed")}</p>
<h1>${study.title}</h1>
${study.description === "" ? undefined : html`<p>${study.description}</p>`}
${headline.map((sentence) => html`<p class="verdict">${sentence}</p>`)}
${unfinished(study)}
${figures.first.map(withWords)}

<h2>Results</h2>
<figure>${accuracyTable(study, series)}
<figcaption>${tableCaption(study)}</figcaption></figure>
${table(["report"], "How each line ends: means over seeds. docs/metrics.md has the formulas.")}
${table(["knowledge"], "What the networks know beside the best class, and how far members of an ensemble differ.")}
<details><summary>All generations and ensembles</summary><figure>${metricsTable(study, series, { tables: ["report", "knowledge"], outcomes: (arm) => outcomesOf({ arms: [arm] }) })}</figure></details>

${figures.others.map(withWords)}

<h2>What the arms are</h2>
${methodsTable(study)}
${notes.length + study.notes.length > 0 ? html`<h2>How sure this is</h2>\n${list([...notes, ...study.notes])}` : undefined}

<h2>Made with</h2>
${madeWith(study, provenance)}
<p class="note">Beside this page lie all figures (figures/, as SVG and PNG) and all numbers (data/, as CSV).</p>
</main></body>
</html>
`);
}

function section(figure: Figure): Html {
  return html`<h2>${figure.title}</h2>
<figure>
${figure.legend.length > 0 ? legendList(figure.legend, pagePalette) : undefined}
${scrollable(figure.title, figure.draw(pagePalette))}
<figcaption>${figure.caption}</figcaption>
</figure>
`;
}

/** The last network of a line, and the ensemble of the whole line. */
function lastOutcomes({ generations }: ArmResult): Outcome[] {
  const generation = generations - 1;
  const network: Outcome = { kind: "network", generation };
  return generation > 0 ? [network, { kind: "ensemble", generation }] : [network];
}

function list(sentences: readonly string[]): Html | undefined {
  if (sentences.length === 0) return undefined;
  return html`<ul class="said">${sentences.map((sentence) => html`<li>${sentence}</li>\n`)}</ul>`;
}

function tableCaption({ seeds, part, arms }: StudyResult): string {
  return [
    seeds.length > 1
      ? "The mean of the accuracy in percent ± its standard deviation over seeds; in brackets the number of seeds where it is another than the arm's."
      : "The accuracy in percent.",
    ...(arms.length > 1
      ? ["The highest of each column is bold, whether or not it can be told from the others."]
      : []),
    part === "test"
      ? "The test images were read once a network, after its last epoch."
      : "The test images were not loaded.",
  ].join(" ");
}

/** Lists a few sentences, and folds more of them away. */
function brief(summary: string, sentences: readonly string[]): Html | undefined {
  return sentences.length > 8 ? folded(summary, sentences) : list(sentences);
}

function folded(summary: string, sentences: readonly string[]): Html | undefined {
  if (sentences.length === 0) return undefined;
  return html`<details><summary>${summary}</summary>${list(sentences)}</details>`;
}

function unfinished({ trained: { done, of } }: StudyResult): Html | undefined {
  if (done >= of) return undefined;
  return html`<p class="warning">Not finished: ${done} of ${plural(of, "network")} so far.</p>`;
}

function methodsTable({ arms, reference }: StudyResult): Html {
  return html`<figure>${scrollable(
    "What the arms are",
    html`<table class="methods">
<thead><tr><th>arm</th><th>networks</th><th>epochs each</th><th>what they learn from</th></tr></thead>
<tbody>${arms.map(
      ({
        name,
        generations,
        epochs,
        methods,
      }) => html`<tr><td>${name}${name === reference && arms.length > 1 ? html` <small>(reference)</small>` : undefined}</td>
<td>${generations}</td><td>${epochs}</td><td>${methods.map(
        ([role, words], i) => html`${i > 0 ? html`<br>` : undefined}${role}: ${words}`,
      )}</td></tr>\n`,
    )}</tbody></table>`,
  )}</figure>`;
}
