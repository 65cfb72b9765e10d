import type { Predictions } from "./predictions.js";

/** The input of a metric. */
export interface MetricInput {
  /** The predictions of the network or the ensemble that is evaluated. */
  network: Predictions;
  /** The labels of the N images, each in 0 .. C - 1. */
  labels: ArrayLike<number>;
  /** How many of an image's best classes count as primary and secondary, 2 .. C. */
  k: number;
}

/** The input of a metric that compares a network with its teacher. */
export interface TeacherMetricInput extends MetricInput {
  /** The predictions of the network's teacher, for the same images in the same order. */
  teacher: Predictions;
}

/** A table in which a metric can have a column. */
export type MetricTable = "terminal" | "report";

/**
 * One number, or one short list of numbers, that says something of a network's predictions for labelled
 * images.
 */
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
  /** What the metric says of a network, in one sentence without a full stop. */
  readonly summary: string;
  /**
   * The formula in plain text. In it i runs over the N images and c over the C classes; y is the label, p the
   * score and p₍ᵣ₎ the score of rank r.
   */
  readonly formula: string;
  /** The publication that the formula comes from, if there is one. */
  readonly source?: string;
  /**
   * A fraction counts images and is shown in percent; a score is a probability; nats are natural units of
   * entropy.
   */
  readonly unit: "fraction" | "score" | "nats";
  /** The number of digits that are shown behind the point. */
  readonly digits: number;
  /** Whether higher or lower values are better; left out where neither are. */
  readonly better?: "higher" | "lower";
  /** The tables in which the metric has a column. A metric that is a list of numbers can have none. */
  readonly columns: readonly MetricTable[];
  /** Explains the column to readers of the tables, as a phrase; left out where the label says enough. */
  readonly note?: (k: number) => string;
  /** The most numbers that the value can hold, where it is a list; left out where it is one number. */
  readonly maxLength?: number;
  /**
   * Whether the metric compares a network with its teacher. A patriarch and an ensemble then have no value.
   */
  readonly needsTeacher?: Teacher;
  /** Computes the value. */
  compute(input: Teacher extends true ? TeacherMetricInput : MetricInput): Value;
}

/** The properties that a metric's author writes; `defineMetric` adds `kind`. */
type Definition<M extends Metric> = Omit<M, "kind">;

/**
 * Defines a metric. The library's own are files in `src/analysis/metrics/`; one of your own can be given to
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

/**
 * The values of metrics by name. Those of metrics that need a teacher are there only where its logits were
 * given.
 */
export type MetricValues<Metrics extends readonly Metric[]> = {
  [M in Metrics[number] as NameWhere<M, false>]: ReturnType<M["compute"]>;
} & {
  [M in Metrics[number] as NameWhere<M, true>]?: ReturnType<M["compute"]>;
};

/** Computes the mean of `value(image)` over the images 0 to N - 1 of a network's predictions. */
export function meanOverImages({ images }: Predictions, value: (image: number) => number): number {
  let sum = 0;
  for (let image = 0; image < images; image++) sum += value(image);
  return sum / images;
}
