import type { Metric, MetricExtras, MetricInput, MetricNeed, MetricValues } from "./define.js";
import { checkAlike, type LogitsLike } from "./logits.js";
import { metrics as allMetrics } from "./metrics.js";
import { Predictions } from "./predictions.js";

/** The values of all of the library's metrics by name; see `docs/metrics.md`. */
export type Evaluation = MetricValues<typeof allMetrics>;

/** What an evaluation may be given beside logits and labels, for the metrics that need it. */
export interface EvaluationExtras {
  /**
   * The logits of the network's teacher, [N, C], for the same images in the same order. Default: it has none.
   */
  teacherLogits?: LogitsLike | undefined;
  /**
   * The logits of the members where an ensemble is evaluated, each [N, C], for the same images in the same
   * order. Default: it is no ensemble.
   */
  memberLogits?: readonly LogitsLike[] | undefined;
  /** The superclass of each class, [C], whole numbers from 0. Default: classes have none. */
  superclasses?: ArrayLike<number> | undefined;
}

export interface EvaluateOptions<Metrics extends readonly Metric[]> extends EvaluationExtras {
  /** How many of an image's best classes count as primary and secondary, 2 .. C. Default: `defaultK(C)`. */
  k?: number;
  /** The metrics to compute. Default: all of the library's. */
  metrics?: Metrics;
}

/**
 * Gives how many of an image's best classes count as primary and secondary by default: min(5, C). It depends
 * on the number of classes alone, so that the numbers of all runs on one data set can be compared.
 */
export function defaultK(classes: number): number {
  return Math.min(5, classes);
}

/**
 * Evaluates a network by its logits. All metrics are computed in float64 and stay finite at extreme logits.
 * Of classes with equal logits the lower one ranks first.
 *
 * @param logits [N, C], a tensor or plain values
 * @param labels N labels, each in 0 .. C - 1
 * @returns each metric's value by its name; a metric is left out where something that it needs is missing
 * @throws TypeError when shapes do not fit, RangeError when k, a label or a superclass is out of range or a
 *   row has no softmax
 */
export function evaluateLogits<const Metrics extends readonly Metric[] = typeof allMetrics>(
  logits: LogitsLike,
  labels: ArrayLike<number>,
  options: EvaluateOptions<Metrics> = {},
): MetricValues<Metrics> {
  const { classes } = "shape" in logits ? { classes: logits.shape[1] ?? 0 } : logits;
  const { k = defaultK(classes), metrics = allMetrics as readonly Metric[] } = options;
  const network = new Predictions(logits, { ranks: Math.max(10, k) });
  checkLabels(labels, network);
  if (!(Number.isInteger(k) && k >= 2 && k <= classes)) {
    throw new RangeError(`k must be a whole number from 2 to the ${classes} classes, got ${k}`);
  }
  const extras = extrasOf(network, options);
  const values: Record<string, number | number[]> = {};
  for (const metric of metrics) {
    if (metric.needs?.some((need) => extras[need] === undefined)) continue;
    values[metric.name] = metric.compute({ network, labels, k, ...extras } as MetricInput<MetricNeed>);
  }
  return values as MetricValues<Metrics>;
}

/** Checks what was given beside logits and labels, and reads the logits in it. */
function extrasOf(
  { logits, classes }: Predictions,
  { teacherLogits, memberLogits, superclasses }: EvaluationExtras,
): Partial<MetricExtras> {
  const read = (other: LogitsLike, name: string, names: string) => {
    const predictions = new Predictions(other, { name });
    checkAlike(logits, predictions.logits, names);
    return predictions;
  };
  if (superclasses) checkSuperclasses(superclasses, classes);
  return {
    ...(teacherLogits && {
      teacher: read(teacherLogits, "the teacher's logits", "the logits of student and teacher"),
    }),
    ...(memberLogits && {
      members: memberLogits.map((member) =>
        read(member, "a member's logits", "the logits of ensemble and member"),
      ),
    }),
    ...(superclasses && { superclasses }),
  };
}

function checkSuperclasses(superclasses: ArrayLike<number>, classes: number): void {
  if (superclasses.length !== classes)
    throw new TypeError(`${superclasses.length} superclasses for ${classes} classes: one for each is needed`);
  for (let c = 0; c < classes; c++) {
    const superclass = superclasses[c]!;
    if (!(Number.isInteger(superclass) && superclass >= 0))
      throw new RangeError(`the superclass of class ${c} must be a whole number from 0, got ${superclass}`);
  }
}

function checkLabels(labels: ArrayLike<number>, { images, classes }: Predictions): void {
  if (labels.length !== images) {
    throw new TypeError(`${labels.length} labels for logits [${images}, ${classes}]`);
  }
  for (let i = 0; i < images; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new RangeError(`label ${label} of image ${i} is not in 0..${classes - 1}`);
    }
  }
}
