import type { Metric, MetricValues } from "./define.js";
import { checkAlike, type LogitsLike } from "./logits.js";
import { metrics as allMetrics } from "./metrics.js";
import { Predictions } from "./predictions.js";

/** The values of all of the library's metrics by name; see `docs/metrics.md`. */
export type Evaluation = MetricValues<typeof allMetrics>;

export interface EvaluateOptions<Metrics extends readonly Metric[]> {
  /** How many of an image's best classes count as primary and secondary, 2 .. C. Default: `defaultK(C)`. */
  k?: number;
  /**
   * The logits of the network's teacher, [N, C], for the same images in the same order. Default: it has none.
   */
  teacherLogits?: LogitsLike | undefined;
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
 * @returns each metric's value by its name; metrics that need a teacher are left out where there is none
 * @throws TypeError when shapes do not fit, RangeError when k or a label is out of range or a row has no
 *   softmax
 */
export function evaluateLogits<const Metrics extends readonly Metric[] = typeof allMetrics>(
  logits: LogitsLike,
  labels: ArrayLike<number>,
  options: EvaluateOptions<Metrics> = {},
): MetricValues<Metrics> {
  const { classes } = "shape" in logits ? { classes: logits.shape[1] ?? 0 } : logits;
  const { k = defaultK(classes), teacherLogits, metrics = allMetrics as readonly Metric[] } = options;
  const network = new Predictions(logits, { ranks: Math.max(10, k) });
  checkLabels(labels, network);
  if (!(Number.isInteger(k) && k >= 2 && k <= classes)) {
    throw new RangeError(`k must be a whole number from 2 to the ${classes} classes, got ${k}`);
  }
  const teacher = teacherLogits && new Predictions(teacherLogits, { name: "the teacher's logits" });
  if (teacher) checkAlike(network.logits, teacher.logits, "the logits of student and teacher");

  const values: Record<string, number | number[]> = {};
  for (const metric of metrics) {
    if (metric.needsTeacher && !teacher) continue;
    values[metric.name] = metric.compute({ network, labels, k, teacher: teacher! });
  }
  return values as MetricValues<Metrics>;
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
