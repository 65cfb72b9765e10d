/** Charts that only the live page has. */
import * as Plot from "@observablehq/plot";
import { colourOf } from "../report/charts.js";
import { accuracyMargin } from "../report/comparison.js";
import { draw } from "../report/draw.js";
import type { Html } from "../report/html.js";
import type { EpochRecord, GenerationResult } from "../runs/index.js";

const whole = (value: number) => (Number.isInteger(value) ? value.toLocaleString("en-US") : "");

/** Draws a number by epoch, a line for each generation. */
export function epochChart(
  records: readonly EpochRecord[],
  { label, value }: { label: string; value: (record: EpochRecord) => number },
): Html {
  const points = records.map((record) => ({
    epoch: record.epoch,
    value: value(record),
    generation: String(record.generation),
    colour: colourOf(record.generation),
  }));
  const epochs = points.reduce((most, { epoch }) => Math.max(most, epoch), 2);
  const places = { x: "epoch", y: "value" } as const;
  return draw({
    alt: `${label} by epoch of each generation`,
    ...{ width: 420, height: 220, marginTop: 24, marginBottom: 40, marginLeft: 58, marginRight: 16 },
    x: { label: "epoch", domain: [1, epochs], ticks: Math.min(6, epochs), tickFormat: whole },
    y: { label, grid: true, zero: true, nice: true, ticks: 4 },
    marks: [
      Plot.lineY(points, { ...places, z: "generation", stroke: "colour", strokeWidth: 1.8 }),
      ...(epochs <= 12 ? [Plot.dot(points, { ...places, r: 2.4, fill: "colour" })] : []),
    ],
  });
}

/** Draws the loss within the epoch that is under way. */
export function stepChart(
  curve: readonly (readonly [step: number, loss: number])[],
  { steps, generation }: { steps: number; generation: number },
): Html {
  const losses = curve.map(([, loss]) => loss).filter(Number.isFinite);
  const [low, high] = losses.length > 0 ? [Math.min(...losses), Math.max(...losses)] : [0, 1];
  // A single point has a scale too.
  const room = Math.max(0.02 * Math.abs(high), (high - low) / 20, 1e-3);
  return draw({
    alt: "Loss within this epoch",
    ...{ width: 420, height: 220, marginTop: 24, marginBottom: 40, marginLeft: 58, marginRight: 16 },
    x: { label: "step of this epoch", domain: [0, Math.max(1, steps)], ticks: 6, tickFormat: whole },
    y: { label: "loss", grid: true, nice: true, ticks: 4, domain: [low - room, high + room] },
    marks: [
      Plot.lineY(curve, { x: "0", y: "1", stroke: colourOf(generation), strokeWidth: 1.6 }),
      Plot.dot(curve.slice(-1), { x: "0", y: "1", r: 3.5, fill: colourOf(generation) }),
    ],
  });
}

/** The most ranks that are drawn over the epochs. */
const RANKS = 5;

/** Draws the mean scores of a generation's best classes on the held-out images, as they change from epoch to epoch. */
export function rankByEpochChart(records: readonly EpochRecord[]): Html {
  const points = records.flatMap(({ epoch, validation }) =>
    (validation?.scoreByRank ?? [])
      .slice(0, RANKS)
      .map((score, i) => ({ epoch, score, rank: i + 1 }))
      .filter(({ score }) => score > 0),
  );
  const epochs = points.reduce((most, { epoch }) => Math.max(most, epoch), 2);
  const last = points.reduce((most, { epoch }) => Math.max(most, epoch), 0);
  const lowest = points.reduce((least, { score }) => Math.min(least, score), 0.1);
  const ticks = [1, 0.1, 0.01, 0.001, 1e-4, 1e-5].filter((tick) => tick >= lowest / 2);
  const places = { x: "epoch", y: "score" } as const;
  const colour = colourOf(records[0]?.generation ?? 0);
  return draw({
    alt: `Mean score of the ${RANKS} best classes by epoch`,
    ...{ width: 300, height: 220, marginTop: 14, marginBottom: 40, marginLeft: 46, marginRight: 24 },
    x: { label: "epoch", domain: [1, epochs], ticks: Math.min(5, epochs), tickFormat: whole },
    y: { type: "log", label: null, domain: [lowest, 1], grid: true, ticks, tickFormat: String },
    opacity: { domain: [1, RANKS], range: [1, 0.4] },
    marks: [
      Plot.lineY(points, { ...places, z: "rank", stroke: colour, strokeWidth: 1.8, strokeOpacity: "rank" }),
      Plot.text(
        points.filter(({ epoch }) => epoch === last),
        { ...places, text: "rank", dx: 9, fill: "currentColor" },
      ),
    ],
  });
}

/** What a comparison of runs draws of one. */
export interface ComparedRun {
  name: string;
  colour: string;
  results: readonly GenerationResult[];
  records: readonly EpochRecord[];
  /** The number of test images, for intervals; undefined where it is not known. */
  testImages?: number;
}

/** Draws the test accuracy by generation, a line for each run. */
export function accuracyOfRuns(runs: readonly ComparedRun[]): Html {
  const points = runs.flatMap(({ name, colour, results, testImages }) =>
    results.map(({ generation, test: { top1 } }) => {
      const margin = testImages ? accuracyMargin(top1, testImages) : 0;
      const [low, high] = [100 * (top1 - margin), 100 * (top1 + margin)];
      return { run: name, colour, generation, top1: 100 * top1, low, high };
    }),
  );
  const most = points.reduce((max, { generation }) => Math.max(max, generation), 1);
  const places = { x: "generation", y: "top1" } as const;
  return draw({
    alt: "Test accuracy by generation of each run",
    ...{ width: 860, height: 320, marginTop: 28, marginBottom: 44, marginLeft: 52, marginRight: 24 },
    x: {
      label: "generation (0: patriarch)",
      domain: [-0.2, most + 0.2],
      ticks: Array.from({ length: Math.min(100, most + 1) }, (_, i) => i),
      tickFormat: whole,
    },
    y: { label: "right among the test images (%)", grid: true, nice: true, ticks: 6 },
    marks: [
      Plot.ruleX(points, {
        ...{ x: "generation", y1: "low", y2: "high", stroke: "colour", strokeWidth: 2, strokeOpacity: 0.35 },
      }),
      Plot.lineY(points, { ...places, z: "run", stroke: "colour", strokeWidth: 1.8 }),
      Plot.dot(points, { ...places, r: 4.5, fill: "colour" }),
    ],
  });
}

/** Draws the accuracy of one generation by epoch, a line for each run: on held-out images (dashed), and on the training images. */
export function curvesOfRuns(runs: readonly ComparedRun[], generation: number): Html {
  const records = runs.flatMap(({ name, colour, records }) =>
    records.filter((record) => record.generation === generation).map((record) => ({ name, colour, record })),
  );
  const points = (pick: (record: EpochRecord) => number | undefined) =>
    records.flatMap(({ name, colour, record }) => {
      const top1 = pick(record);
      return top1 === undefined ? [] : [{ run: name, colour, epoch: record.epoch, top1: 100 * top1 }];
    });
  const epochs = records.reduce((most, { record }) => Math.max(most, record.epoch), 2);
  const line = { x: "epoch", y: "top1", z: "run", stroke: "colour", strokeWidth: 1.8 } as const;
  return draw({
    alt: `Accuracy by epoch of generation ${generation}, of each run`,
    ...{ width: 420, height: 260, marginTop: 24, marginBottom: 40, marginLeft: 48, marginRight: 16 },
    x: { label: "epoch", domain: [1, epochs], ticks: Math.min(6, epochs), tickFormat: whole },
    y: { label: "right (%)", grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.lineY(
        points(({ trainTop1 }) => trainTop1),
        line,
      ),
      Plot.lineY(
        points(({ validation }) => validation?.top1),
        { ...line, strokeDasharray: "4 3" },
      ),
    ],
  });
}
