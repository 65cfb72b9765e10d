import type { Predictions } from "./predictions.js";

/** What a metric is computed from. */
export interface MetricInput {
  /** The network that is evaluated, or the ensemble. */
  network: Predictions;
  /** N labels, each in 0 .. C - 1. */
  labels: ArrayLike<number>;
  /** How many of an image's best classes count as primary and secondary, 2 .. C. */
  k: number;
}

/** What a metric that compares with the teacher is computed from. */
export interface TeacherMetricInput extends MetricInput {
  /** The network's teacher, for the same images in the same order. */
  teacher: Predictions;
}

/** Where a metric can have a column. */
export type MetricTable = "terminal" | "report";

/** One number, or one short list of numbers, that says something of a network's predictions for labelled images. */
export interface Metric<
  Name extends string = string,
  Value extends number | number[] = number | number[],
  Teacher extends boolean = boolean,
> {
  readonly kind: "metric";
  /** The key of its value in an evaluation, in summary.json and in `--json`: camelCase. */
  readonly name: Name;
  /** The heading of its column. */
  readonly label: string;
  /** What it says, in one sentence without a full stop. */
  readonly summary: string;
  /** Plain text. i runs over the N images, c over the C classes; y is the label, p the score, p₍ᵣ₎ that of rank r. */
  readonly formula: string;
  /** Where the formula comes from, if it has an author. */
  readonly source?: string;
  /** A fraction counts images and is shown in percent; a score is a probability; nats are natural units of entropy. */
  readonly unit: "fraction" | "score" | "nats";
  /** The digits that are shown behind the point. */
  readonly digits: number;
  /** Which values are the better ones; left out where neither are. */
  readonly better?: "higher" | "lower";
  /** The tables in which it has a column. A list of numbers can have none. */
  readonly columns: readonly MetricTable[];
  /** What a reader of the tables needs to be told, as a phrase; left out where the label says it all. */
  readonly note?: (k: number) => string;
  /** The most numbers that it is a list of; left out where it is one number. */
  readonly maxLength?: number;
  /** Whether it compares the network with its teacher: a patriarch and an ensemble then have none. */
  readonly needsTeacher?: Teacher;
  compute(input: Teacher extends true ? TeacherMetricInput : MetricInput): Value;
}

/** What is written down of a metric; `kind` is added. */
type Definition<M extends Metric> = Omit<M, "kind">;

/**
 * Defines a metric: one of the library's in a file of `src/analysis/metrics/`, or one of your own for
 * `evaluateLogits(logits, labels, { metrics: [mine] })`.
 */
export function defineMetric<const Name extends string, Value extends number | number[]>(
  definition: Definition<Metric<Name, Value, true>> & { needsTeacher: true },
): Metric<Name, Value, true>;
export function defineMetric<const Name extends string, Value extends number | number[]>(
  definition: Definition<Metric<Name, Value, false>> & { needsTeacher?: false },
): Metric<Name, Value, false>;
export function defineMetric(definition: Definition<Metric>): Metric {
  return { kind: "metric", ...definition };
}

/** The names of those metrics that need a teacher, or of those that need none. */
type NameWhere<M extends Metric, Teacher extends boolean> = M extends Metric
  ? [true extends M["needsTeacher"] ? true : false] extends [Teacher]
    ? M["name"]
    : never
  : never;

/** The values of some metrics by name; those that need a teacher are there only where it was given. */
export type MetricValues<Metrics extends readonly Metric[]> = {
  [M in Metrics[number] as NameWhere<M, false>]: ReturnType<M["compute"]>;
} & {
  [M in Metrics[number] as NameWhere<M, true>]?: ReturnType<M["compute"]>;
};

/** The mean over the images that a network saw of what `value` is for image 0, 1, … N - 1. */
export function meanOverImages({ images }: Predictions, value: (image: number) => number): number {
  let sum = 0;
  for (let image = 0; image < images; image++) sum += value(image);
  return sum / images;
}
