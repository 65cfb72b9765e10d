/** Draws the charts of a run, as SVG that takes its colours from the page. */
import * as Plot from "@observablehq/plot";
import { reliabilityBins } from "../analysis/index.js";
import type { EnsembleResult, EpochRecord, GenerationResult } from "../runs/types.js";
import { accuracyMargin } from "./comparison.js";
import { draw } from "./draw.js";
import type { Html } from "./html.js";
import { nameOf } from "./numbers.js";

/**
 * Gives the colour of a generation. The page's style has 8 colours, which repeat from the ninth generation
 * on.
 */
export const colourOf = (generation: number) => `var(--g${generation % 8})`;

/**
 * Gives the colour of a loss term by its position in the order in which the terms are stored; there are 4
 * colours.
 */
export const termColour = (position: number) => `var(--t${position % 4})`;

/**
 * Draws the test accuracy of each generation, and of each ensemble of the generations up to one.
 *
 * @param testImages the number of test images, for 95 % intervals; undefined draws none
 */
export function accuracyChart(
  generations: readonly GenerationResult[],
  ensembles: Readonly<Record<string, EnsembleResult>>,
  testImages: number | undefined,
): Html {
  const singles = generations.map(({ generation, role, test }) => {
    const margin = testImages ? accuracyMargin(test.top1, testImages) : 0;
    return {
      name: nameOf(generation, role),
      top1: 100 * test.top1,
      low: 100 * (test.top1 - margin),
      high: 100 * (test.top1 + margin),
      colour: colourOf(generation),
    };
  });
  const together = generations
    .filter(({ generation }) => ensembles[`0-${generation}`])
    .map(({ generation, role }) => ({
      name: nameOf(generation, role),
      top1: 100 * ensembles[`0-${generation}`]!.test.top1,
    }));
  const start = singles.slice(0, 1);
  return draw({
    alt: "Test accuracy by generation, single networks and ensembles",
    width: 860,
    height: 340,
    marginTop: 28,
    marginBottom: 34,
    marginLeft: 52,
    marginRight: 24,
    x: { type: "point", domain: singles.map(({ name }) => name), label: null, padding: 0.4 },
    y: { label: "right among the test images (%)", grid: true, nice: true, ticks: 6 },
    marks: [
      Plot.ruleX(singles, {
        x: "name",
        y1: "low",
        y2: "high",
        stroke: "colour",
        strokeWidth: 2,
        strokeOpacity: 0.45,
      }),
      Plot.lineY([...start, ...together], {
        x: "name",
        y: "top1",
        stroke: "var(--ensemble)",
        strokeDasharray: "5 4",
      }),
      Plot.lineY(singles, { x: "name", y: "top1", stroke: "currentColor", strokeOpacity: 0.35 }),
      Plot.dot(together, { x: "name", y: "top1", symbol: "diamond2", r: 6, fill: "var(--ensemble)" }),
      Plot.dot(singles, { x: "name", y: "top1", r: 5.5, fill: "colour" }),
      Plot.text(singles, {
        x: "name",
        y: "top1",
        text: ({ top1 }: { top1: number }) => top1.toFixed(2),
        dx: 9,
        dy: -11,
        textAnchor: "start",
        fill: "currentColor",
        // The halo keeps the digits readable where lines pass behind them.
        stroke: "var(--card)",
        strokeWidth: 5,
      }),
    ],
  });
}

/** Draws the accuracy of all generations by epoch: on the training images, and on the held-out ones where there are some. */
export function accuracyCurves(metrics: readonly EpochRecord[]): Html {
  const point = ({ generation, epoch }: EpochRecord, top1: number | undefined) =>
    top1 === undefined ? [] : [{ epoch, top1: 100 * top1, generation: String(generation) }];
  const training = metrics.flatMap((record) => point(record, record.trainTop1));
  const heldOut = metrics.flatMap((record) => point(record, record.validation?.top1));
  const epochs = metrics.reduce((most, { epoch }) => Math.max(most, epoch), 2);
  const line = (data: typeof training, options: Plot.LineYOptions) => [
    Plot.lineY(data, {
      ...{ x: "epoch", y: "top1", z: "generation", strokeWidth: 1.8, ...options },
      stroke: ({ generation }: { generation: string }) => colourOf(Number(generation)),
    }),
    ...(epochs <= 12
      ? [
          Plot.dot(data, {
            x: "epoch",
            y: "top1",
            r: 2.4,
            fill: ({ generation }) => colourOf(Number(generation)),
          }),
        ]
      : []),
  ];
  return draw({
    alt: "Accuracy by epoch of each generation",
    ...{ width: 860, height: 260, marginTop: 22, marginBottom: 40, marginLeft: 52, marginRight: 24 },
    x: {
      label: "epoch",
      domain: [1, epochs],
      ticks: Math.min(10, epochs),
      tickFormat: (epoch: number) => (Number.isInteger(epoch) ? String(epoch) : ""),
    },
    y: { label: "right (%)", grid: true, nice: true, ticks: 5 },
    marks: [...line(training, {}), ...line(heldOut, { strokeDasharray: "4 3" })],
  });
}

/**
 * Draws one generation's training loss, and the terms it is made of, by epoch.
 *
 * @param highest the top of the axis, which all charts of a run share
 */
export function lossChart(records: readonly EpochRecord[], highest: number): Html {
  const terms = Object.keys(records[0]?.terms ?? {});
  const points = (pick: (record: EpochRecord) => number | undefined) =>
    records.map((record) => ({ epoch: record.epoch, value: pick(record) ?? Number.NaN }));
  const line = (data: ReturnType<typeof points>, options: Plot.LineYOptions) => [
    Plot.lineY(data, { x: "epoch", y: "value", strokeWidth: 1.8, ...options }),
    ...(records.length <= 12
      ? [Plot.dot(data, { x: "epoch", y: "value", r: 2.4, fill: options.stroke as string })]
      : []),
  ];
  const epochs = records.at(-1)?.epoch ?? 1;
  return draw({
    alt: "Training loss by epoch",
    width: 300,
    height: 200,
    marginTop: 10,
    marginBottom: 40,
    marginLeft: 36,
    marginRight: 10,
    x: {
      label: "epoch",
      domain: [1, Math.max(2, epochs)],
      ticks: Math.min(6, epochs),
      tickFormat: (epoch: number) => (Number.isInteger(epoch) ? String(epoch) : ""),
    },
    y: { label: null, grid: true, domain: [0, highest], nice: true, ticks: 4 },
    marks: [
      ...terms.flatMap((term, i) =>
        line(
          points((record) => record.terms[term]),
          { stroke: termColour(i) },
        ),
      ),
      ...line(
        points((record) => record.trainLoss),
        { stroke: "currentColor" },
      ),
      ...(records.some((record) => record.validation)
        ? line(
            points((record) => record.validation?.loss),
            { stroke: "currentColor", strokeDasharray: "4 3" },
          )
        : []),
    ],
  });
}

/**
 * Draws for each generation how often it is right where its top score is so high: the mean top score and the
 * accuracy of each bin of the metric `reliability`. Larger dots hold more images.
 */
export function reliabilityChart(generations: readonly GenerationResult[]): Html {
  const points = generations.flatMap(({ generation, test }) =>
    (test.reliability ? reliabilityBins(test.reliability) : []).map(({ confidence, accuracy, share }) => ({
      confidence: 100 * confidence,
      accuracy: 100 * accuracy,
      share,
      generation,
      colour: colourOf(generation),
    })),
  );
  const axis = { domain: [0, 100], ticks: 5 };
  const options = { x: "confidence", y: "accuracy", z: "generation" } as const;
  return draw({
    alt: "Accuracy by top score for each generation",
    width: 560,
    height: 460,
    marginTop: 28,
    marginBottom: 44,
    marginLeft: 52,
    marginRight: 24,
    x: { ...axis, label: "top score (%)", grid: true },
    y: { ...axis, label: "right among these images (%)", grid: true },
    r: { domain: [0, 1], range: [0, 16] },
    marks: [
      Plot.line(
        [
          [0, 0],
          [100, 100],
        ],
        { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "5 4" },
      ),
      Plot.line(points, { ...options, stroke: "colour", strokeWidth: 2 }),
      Plot.dot(points, { ...options, fill: "colour", r: "share", fillOpacity: 0.75 }),
    ],
  });
}

/**
 * Draws the mean score of the best class, of the second best, … of each generation, on a logarithmic scale.
 */
export function rankChart(generations: readonly GenerationResult[]): Html {
  const points = generations.flatMap(({ generation, test }) =>
    (test.scoreByRank ?? [])
      .map((score, i) => ({ rank: i + 1, score, generation, colour: colourOf(generation) }))
      .filter(({ score }) => score > 0),
  );
  const lowest = Math.min(0.1, ...points.map(({ score }) => score));
  const ticks = [1, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6].filter((tick) => tick >= lowest / 2);
  const options = { x: "rank", y: "score", z: "generation" } as const;
  return draw({
    alt: "Mean score by rank for each generation",
    width: 860,
    height: 380,
    marginTop: 28,
    marginBottom: 44,
    marginLeft: 52,
    marginRight: 24,
    x: { label: "rank of the class, by score", ticks: 10, tickFormat: "d" },
    y: {
      type: "log",
      label: "mean score",
      domain: [lowest, 1],
      grid: true,
      ticks,
      tickFormat: (v: number) => String(v),
    },
    marks: [
      Plot.lineY(points, { ...options, stroke: "colour", strokeWidth: 2 }),
      Plot.dot(points, { ...options, fill: "colour", r: 3.5 }),
    ],
  });
}
