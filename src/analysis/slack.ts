import { evaluateLogits } from "./evaluate-logits.js";
import { checkAlike, type Logits, type LogitsLike, readLogits } from "./logits.js";
import { metrics } from "./metrics.js";
import { numbersOf } from "./numbers-of.js";
import { Predictions } from "./predictions.js";

/**
 * Estimates how far each number of an evaluation may move when each logit moves by at most `bound`. The
 * logits of every image are moved as far as that, towards and away from its label, its best class and its
 * teacher's best class. The slack is twice the largest change of the number, since not every metric changes
 * most there; metrics that count images get one more image.
 *
 * @param logits [N, C]
 * @param bound the largest move of a logit, >= 0
 * @param options k and the teacher's logits, as for `evaluateLogits`, which throws the same errors
 * @returns the slack of each number, by the names that `numbersOf` gives
 */
export function slackWithin(
  logits: LogitsLike,
  labels: ArrayLike<number>,
  bound: number,
  options: { k?: number; teacherLogits?: LogitsLike | undefined } = {},
): Map<string, number> {
  const network = new Predictions(logits);
  const evaluate = (moved: Logits) => numbersOf(evaluateLogits(moved, labels, options));
  const unmoved = evaluate(network.logits);
  const oneImage = (name: string) =>
    metrics.some((metric) => metric.name === name && metric.unit === "fraction") ? 2 / network.images : 0;
  const slack = new Map([...unmoved.keys()].map((name) => [name, oneImage(name)]));
  const targets = [labels, network.topClasses];
  if (options.teacherLogits) targets.push(new Predictions(options.teacherLogits).topClasses);
  for (const target of targets) {
    for (const by of [bound, -bound]) {
      for (const [name, value] of evaluate(pushed(network.logits, target, by))) {
        const move = 2 * Math.abs(value - unmoved.get(name)!) + oneImage(name);
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
