import type { Metric, MetricValues } from "./define.js";
import { type EnsembleOptions, ensembleLogits } from "./ensemble.js";
import { type EvaluateOptions, evaluateLogits } from "./evaluate-logits.js";
import { type LogitsLike, readLogits } from "./logits.js";
import type { metrics as allMetrics } from "./metrics.js";

export interface EvaluateEnsembleOptions<Metrics extends readonly Metric[]>
  extends Omit<EvaluateOptions<Metrics>, "memberLogits">,
    EnsembleOptions {}

/**
 * Evaluates an ensemble of networks by the logits of each: all metrics of a network, and those that compare
 * an ensemble with its members.
 *
 * @param members the logits of each member, [N, C], for the same images in the same order
 * @param labels N labels, each in 0 .. C - 1
 * @returns each metric's value by its name; a metric is left out where something that it needs is missing
 * @throws TypeError and RangeError as {@link ensembleLogits} and {@link evaluateLogits}
 */
export function evaluateEnsemble<const Metrics extends readonly Metric[] = typeof allMetrics>(
  members: readonly LogitsLike[],
  labels: ArrayLike<number>,
  { mean, weights, ...options }: EvaluateEnsembleOptions<Metrics> = {},
): MetricValues<Metrics> {
  // Tensors are copied when they are read, so this is done once for the ensemble and its members.
  const memberLogits = members.map((member) => readLogits(member));
  return evaluateLogits(ensembleLogits(memberLogits, { mean, weights }), labels, {
    ...options,
    memberLogits,
  });
}
