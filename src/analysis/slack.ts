import type { Metric } from "./define.js";
import { type EvaluationExtras, evaluateLogits } from "./evaluate-logits.js";
import { checkAlike, type Logits, type LogitsLike, readLogits } from "./logits.js";
import { metrics } from "./metrics.js";
import { metricOf, numbersOf } from "./numbers-of.js";
import { Predictions } from "./predictions.js";

/**
 * Estimates how far each number of an evaluation may move when each logit moves by at most `bound`. The
 * logits of every image are moved as far as that, towards and away from its label, its best class and its
 * teacher's best class. The slack is twice the largest change of the number, since not every metric changes
 * most there; a metric that jumps where classes or images tie gets the images' worth that it states. The
 * members of an ensemble are moved in the same way.
 *
 * @param logits [N, C]
 * @param bound the largest move of a logit, >= 0
 * @param options k and what metrics need, as for `evaluateLogits`, which throws the same errors
 * @returns the slack of each number, by the names that `numbersOf` gives
 */
export function slackWithin(
  logits: LogitsLike,
  labels: ArrayLike<number>,
  bound: number,
  options: { k?: number } & EvaluationExtras = {},
): Map<string, number> {
  const network = new Predictions(logits);
  const members = options.memberLogits?.map((member) => readLogits(member));
  const evaluate = (move: (unmoved: Logits) => Logits) =>
    numbersOf(evaluateLogits(move(network.logits), labels, { ...options, memberLogits: members?.map(move) }));
  const unmoved = evaluate((same) => same);
  const jumps = new Map<string, number>(
    (metrics as readonly Metric[]).map(({ name, unit, jumps }) => [
      name,
      jumps ?? (unit === "fraction" ? 1 : 0),
    ]),
  );
  const jump = (name: string) => (2 * jumps.get(metricOf(name))!) / network.images;
  const slack = new Map([...unmoved.keys()].map((name) => [name, jump(name)]));
  const targets = [labels, network.topClasses];
  if (options.teacherLogits) targets.push(new Predictions(options.teacherLogits).topClasses);
  for (const target of targets) {
    for (const by of [bound, -bound]) {
      for (const [name, value] of evaluate((logits) => pushed(logits, target, by))) {
        const move = 2 * Math.abs(value - unmoved.get(name)!) + jump(name);
        slack.set(name, Math.max(slack.get(name)!, move));
      }
    }
  }
  return slack;
}

/**
 * Moves the logit of each image's target class by `by`, and those of all its other classes by as much the
 * other way.
 */
function pushed({ values, classes }: Logits, target: ArrayLike<number>, by: number): Logits {
  const moved = Float64Array.from(values, (value) => value - by);
  for (let row = 0; row < target.length; row++) {
    const at = row * classes + target[row]!;
    moved[at] = values[at]! + by;
  }
  return { values: moved, classes };
}

/**
 * Computes the largest absolute difference between two networks' logits.
 *
 * @throws TypeError when the shapes differ
 */
export function largestDifference(a: LogitsLike, b: LogitsLike): number {
  const [one, other] = [readLogits(a), readLogits(b)];
  checkAlike(one, other, "the logits compared");
  let largest = 0;
  for (let i = 0; i < one.values.length; i++) {
    const [left, right] = [one.values[i]!, other.values[i]!];
    // Equal infinities count as equal, though their difference is NaN.
    if (left === right) continue;
    const difference = Math.abs(left - right);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
