import type { Predictions } from "./predictions.js";

/** What every metric is computed from. */
interface EveryInput {
  /** The predictions of the network or the ensemble that is evaluated. */
  network: Predictions;
  /** The labels of the N images, each in 0 .. C - 1. */
  labels: ArrayLike<number>;
  /** How many of an image's best classes count as primary and secondary, 2 .. C. */
  k: number;
}

/** What only some evaluations have, and only some metrics need. */
export interface MetricExtras {
  /** The predictions of the network's teacher, for the same images in the same order; students have one. */
  teacher: Predictions;
  /** The predictions of an ensemble's members, for the same images in the same order; ensembles have them. */
  members: readonly Predictions[];
  /** The superclass of each class, [C], whole numbers from 0; some data sets have them. */
  superclasses: ArrayLike<number>;
}

/** The name of something that a metric needs and not every evaluation has. */
export type MetricNeed = keyof MetricExtras;

/** The input of a metric that needs the extras named. */
export type MetricInput<Needs extends MetricNeed = never> = EveryInput & Pick<MetricExtras, Needs>;

/**
 * A table in which a metric can have a column: the results in the terminal and in a report, and the table of a
 * report that says what the networks know beside the best class.
 */
export type MetricTable = "terminal" | "report" | "knowledge";

/**
 * One number, or one short list of numbers, that says something of a network's predictions for labelled
 * images.
 */
export interface Metric<
  Name extends string = string,
  Value extends number | number[] = number | number[],
  Needs extends MetricNeed = MetricNeed,
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
   * A fraction is a part of the images or of a score, shown in percent; a score is made of probabilities; nats
   * are natural units of entropy; a correlation lies between -1 and 1.
   */
  readonly unit: "fraction" | "score" | "nats" | "correlation";
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
   * How many images' worth (1/N each) the value may jump by when rounding changes the order of classes or
   * images that nearly tie. Default: 1 for a fraction, otherwise 0: the value moves only as the scores do.
   */
  readonly jumps?: number;
  /** What the metric needs that not every evaluation has. It has no value where one of these is missing. */
  readonly needs?: readonly Needs[];
  /** Computes the value. */
  compute(input: MetricInput<Needs>): Value;
}

/** The properties that a metric's author writes; `defineMetric` adds `kind`. */
type Definition<M extends Metric> = Omit<M, "kind">;

/**
 * Defines a metric. The library's own are files in `src/analysis/metrics/`; one of your own can be given to
 * `evaluateLogits(logits, labels, { metrics: [mine] })`.
 */
export function defineMetric<
  const Name extends string,
  Value extends number | number[],
  const Needs extends MetricNeed = never,
>(definition: Definition<Metric<Name, Value, Needs>>): Metric<Name, Value, Needs> {
  return { kind: "metric", ...definition };
}

/** The name of a metric that every evaluation has. */
type Always<M extends Metric> = M extends Metric
  ? [NonNullable<M["needs"]>[number]] extends [never]
    ? M["name"]
    : never
  : never;

/**
 * The values of metrics by name. Those of metrics that need something are there only where it was given.
 */
export type MetricValues<Metrics extends readonly Metric[]> = {
  [M in Metrics[number] as Always<M>]: ReturnType<M["compute"]>;
} & {
  [M in Metrics[number] as Exclude<M["name"], Always<M>>]?: ReturnType<M["compute"]>;
};

/** Computes the mean of `value(image)` over the images 0 to N - 1 of a network's predictions. */
export function meanOverImages({ images }: Predictions, value: (image: number) => number): number {
  let sum = 0;
  for (let image = 0; image < images; image++) sum += value(image);
  return sum / images;
}
