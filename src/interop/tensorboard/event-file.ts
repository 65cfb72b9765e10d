import { appendFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { encode } from "./messages.js";
import { recordOf } from "./record.js";

/** A value of a hyperparameter. */
export type HyperParameter = number | string | boolean;

/** Counts of numbers in ranges that follow each other. */
export interface HistogramCounts {
  /** The upper ends of the ranges, ascending. */
  limits: readonly number[];
  counts: readonly number[];
  min: number;
  max: number;
  sum: number;
  sumOfSquares: number;
}

/** An encoded picture. */
export interface Picture {
  png: Uint8Array;
  height: number;
  width: number;
}

/** What the hparams page shows of all sessions. */
export interface ExperimentInfo {
  description?: string;
  hyperParameters: Readonly<Record<string, HyperParameter>>;
  /** The metrics by their scalars' tags. */
  metrics: readonly { tag: string; name: string; description: string }[];
}

/** TensorFlow's number of the data type of texts. */
const STRING = 7;
/** The marks of `SessionLog.status` and of the hparams' `Status`. */
const [START, SUCCESS] = [1, 1];

let files = 0;

/**
 * A file of events in a folder that TensorBoard shows as one run. Each event is on the disk when a call returns, so that a
 * TensorBoard beside the training shows it.
 */
export class EventFile {
  readonly path: string;
  /** Whether the folder had files of events before this one. */
  readonly isContinued: boolean;

  /** @throws Error when the folder cannot be made or written to */
  constructor(folder: string, date = new Date()) {
    this.isContinued = existsSync(folder) && readdirSync(folder).some((file) => file.includes("tfevents"));
    mkdirSync(folder, { recursive: true });
    const seconds = Math.floor(date.getTime() / 1000);
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}`);
    this.#write({ fileVersion: "brain.Event:2" }, date);
  }

  /** Says that what earlier files hold from a step on counts no longer, since the training goes on before it. */
  restart(step: number, date?: Date): void {
    this.#write({ step, sessionLog: { status: START } }, date);
  }

  /** Writes numbers by their tags. */
  scalars(values: Readonly<Record<string, number>>, step: number, date?: Date): void {
    this.#summary(
      Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue })),
      step,
      date,
    );
  }

  /** @param markdown as TensorBoard shows it */
  text(tag: string, markdown: string, step = 0, date?: Date): void {
    const stringVal = [new TextEncoder().encode(markdown)];
    const tensor = { dtype: STRING, tensorShape: { dim: [{ size: 1 }] }, stringVal };
    this.#summary([{ tag, tensor, metadata: { pluginData: { pluginName: "text" } } }], step, date);
  }

  image(tag: string, { png, height, width }: Picture, step: number, date?: Date): void {
    const image = { height, width, colorspace: 3, encodedImageString: png };
    this.#summary([{ tag, image }], step, date);
  }

  histogram(tag: string, counts: HistogramCounts, step: number, date?: Date): void {
    const { limits, min, max, sum, sumOfSquares } = counts;
    const num = counts.counts.reduce((total, count) => total + count, 0);
    const histo = {
      min,
      max,
      num,
      sum,
      sumSquares: sumOfSquares,
      bucketLimit: limits,
      bucket: counts.counts,
    };
    this.#summary([{ tag, histo }], step, date);
  }

  /** Tells the hparams page what there is; to be written in the folder above those of the sessions. */
  experiment({ description = "", hyperParameters, metrics }: ExperimentInfo, date = new Date()): void {
    const experiment = {
      description,
      timeCreatedSecs: date.getTime() / 1000,
      hparamInfos: Object.entries(hyperParameters).map(([name, value]) => ({ name, type: typeOf(value) })),
      metricInfos: metrics.map(({ tag, name, description: about }) => ({
        name: { group: "", tag },
        displayName: name,
        description: about,
      })),
    };
    this.#hparams("_hparams_/experiment", { experiment }, date);
  }

  /** Tells the hparams page what this folder's training was given. */
  sessionStart(
    hyperParameters: Readonly<Record<string, HyperParameter>>,
    groupName: string,
    date = new Date(),
  ): void {
    const hparams = Object.fromEntries(
      Object.entries(hyperParameters).map(([name, value]) => [name, asValue(value)]),
    );
    const sessionStartInfo = { hparams, groupName, startTimeSecs: date.getTime() / 1000 };
    this.#hparams("_hparams_/session_start_info", { sessionStartInfo }, date);
  }

  sessionEnd(date = new Date()): void {
    const sessionEndInfo = { status: SUCCESS, endTimeSecs: date.getTime() / 1000 };
    this.#hparams("_hparams_/session_end_info", { sessionEndInfo }, date);
  }

  #hparams(tag: string, data: object, date: Date): void {
    const content = encode("HParamsData", { version: 0, ...data });
    this.#summary([{ tag, metadata: { pluginData: { pluginName: "hparams", content } } }], 0, date);
  }

  #summary(value: readonly object[], step: number, date?: Date): void {
    this.#write({ step, summary: { value } }, date);
  }

  #write(event: object, date = new Date()): void {
    appendFileSync(this.path, recordOf(encode("Event", { wallTime: date.getTime() / 1000, ...event })));
  }
}

/** The number of a type in the hparams plugin's `DataType`. */
function typeOf(value: HyperParameter): number {
  if (typeof value === "string") return 1;
  return typeof value === "boolean" ? 2 : 3;
}

function asValue(value: HyperParameter): object {
  if (typeof value === "number") return { numberValue: value };
  return typeof value === "boolean" ? { boolValue: value } : { stringValue: value };
}
