/** The tables of a study's page. */

import { metrics as allMetrics, type Metric, type MetricTable } from "../../analysis/index.js";
import { type ArmResult, type StudyResult, secondsOf } from "../../study/index.js";
import { estimateMean, type MeanEstimate, meanOf } from "../../study/statistics/index.js";
import { type Html, html } from "../html.js";
import { duration, metricText } from "../numbers.js";
import { scrollable } from "../scrollable.js";
import { nameIn, type Outcome, outcomeName, outcomesOf, trainedSeeds, valuesOf } from "./outcomes.js";
import { pagePalette } from "./palette.js";
import { colourOf, type Series } from "./series.js";

/** Shows the accuracy of every arm by generation and ensemble, and the time of training; the best ones are bold. */
export function accuracyTable(study: StudyResult, series: readonly Series[]): Html {
  const outcomes = outcomesOf(study);
  const cells = new Map(
    study.arms.map((arm) => [
      arm,
      outcomes.map((outcome) => {
        const values = valuesOf(arm, outcome, study).map(({ value }) => value);
        return values.length > 0 ? estimateMean(values) : undefined;
      }),
    ]),
  );
  // A line of one network may have trained for as long as the others' whole lines: it is no patriarch among theirs.
  const most = Math.max(...study.arms.map(({ generations }) => generations));
  const rivals = study.arms.filter(({ generations }) => generations > 1 || most === 1);
  const best = outcomes.map((_, i) => Math.max(...rivals.map((arm) => cells.get(arm)![i]?.mean ?? -1)));
  const isBest = (arm: ArmResult, mean: number, column: number) =>
    rivals.length > 1 && rivals.includes(arm) && mean === best[column];
  return scrollable(
    "Accuracy by arm",
    html`<table>
<thead><tr><th>arm</th><th>seeds</th>${outcomes.map(
      (outcome) =>
        html`<th>${outcomeName(outcome)
          .split(" ")
          .map((word) => html`<span class="word">${word}</span> `)}</th>`,
    )}<th>training of a line</th></tr></thead>
<tbody>${study.arms.map(
      (arm) =>
        html`<tr><td class="name" title="${arm.name}">${swatch(arm, series)}${arm.name}</td><td>${seedsOf(arm, study)}</td>${cells
          .get(arm)!
          .map(
            (mean, i) =>
              html`<td>${meanCell(mean, { seeds: trainedSeeds(arm), bold: mean !== undefined && isBest(arm, mean.mean, i) })}</td>`,
          )}<td>${lineTime(arm)}</td></tr>\n`,
    )}</tbody></table>`,
  );
}

/**
 * Shows the means of the metrics that have a column in some tables.
 *
 * @param outcomes says which networks and ensembles of an arm have a row
 * @returns nothing where no row has a value
 */
export function metricsTable(
  study: StudyResult,
  series: readonly Series[],
  { tables, outcomes }: { tables: readonly MetricTable[]; outcomes: (arm: ArmResult) => Outcome[] },
): Html | undefined {
  const rows = study.arms.flatMap((arm) => outcomes(arm).map((outcome) => ({ arm, outcome })));
  const all: readonly Metric[] = allMetrics;
  const meanFor = ({ arm, outcome }: (typeof rows)[number], { name }: Metric) => {
    const values = valuesOf(arm, outcome, study, name).map(({ value }) => value);
    return values.length > 0 ? meanOf(values) : undefined;
  };
  const shown = all.filter(
    (metric) =>
      metric.columns.some((table) => tables.includes(table)) &&
      rows.some((row) => meanFor(row, metric) !== undefined),
  );
  if (shown.length === 0) return undefined;
  return scrollable(
    "Metrics by arm",
    html`<table class="wide">
<thead><tr><th>arm</th><th class="text">network</th>${shown.map(({ label }) => html`<th>${label}</th>`)}</tr></thead>
<tbody>${rows.map(({ arm, outcome }, i) => {
      const isFirst = rows[i - 1]?.arm !== arm;
      return html`<tr><td class="name" title="${arm.name}">${isFirst ? html`${swatch(arm, series)}${arm.name}` : undefined}</td><td class="text">${nameIn(arm, outcome)}</td>${shown.map(
        (metric) => {
          const mean = meanFor({ arm, outcome }, metric);
          return html`<td>${mean === undefined ? "" : metricText(metric, mean)}</td>`;
        },
      )}</tr>\n`;
    })}</tbody></table>`,
  );
}

/**
 * Writes a mean in percent with the standard deviation over seeds, "53.05 ± 0.40", and the number of seeds behind it
 * where it is not the arm's.
 */
function meanCell(
  estimate: MeanEstimate | undefined,
  { seeds, bold }: { seeds: number; bold: boolean },
): Html {
  if (!estimate) return html`<span class="missing">–</span>`;
  const { mean, deviation, count } = estimate;
  const number = (100 * mean).toFixed(2);
  const spread =
    deviation === undefined ? undefined : html` <small>± ${(100 * deviation).toFixed(2)}</small>`;
  return html`${bold ? html`<b>${number}</b>` : number}${spread}${count === seeds ? undefined : html` <small>(${count})</small>`}`;
}

/** Writes the number of seeds that have begun, and of how many where not all have: "3", "2 of 3". */
function seedsOf(arm: ArmResult, { seeds }: StudyResult): string {
  const trained = trainedSeeds(arm);
  return trained === seeds.length ? String(trained) : `${trained} of ${seeds.length}`;
}

/** Writes how long a whole line trains, the mean over the lines that are finished. */
function lineTime({ lines, generations }: ArmResult): string {
  const times = lines.flatMap(({ networks }) => {
    const seconds = networks.flatMap((network) => (network ? secondsOf(network) : []));
    return seconds.length === generations ? [seconds.reduce((sum, each) => sum + each, 0)] : [];
  });
  return times.length > 0 ? duration(meanOf(times)) : "–";
}

function swatch({ name }: ArmResult, series: readonly Series[]): Html | undefined {
  const found = series.find((one) => one.name === name);
  return found && html`<i class="swatch" style="background:${colourOf(found, pagePalette)}"></i>`;
}
