import { checkAlike, type Logits, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/** Sums of scores below this have lost digits, or all of them, to the smallest number that float64 has (2.2e-308). */
const SMALL = 1e-290;

/**
 * The ensemble whose scores are the mean of its members' softmax, as logits: the logarithm of that mean, which is finite
 * even where every member's score is 0 in float64. What evaluates one network evaluates an ensemble:
 * `evaluateLogits(ensembleLogits([a, b]), labels)`.
 *
 * @param members logits [N, C] of each, for the same images in the same order
 * @returns log-probabilities [N, C] in float64
 * @throws TypeError when there are no members or their shapes differ, RangeError when a row has no softmax
 */
export function ensembleLogits(members: readonly LogitsLike[]): Logits {
  const read = members.map((member) => readLogits(member));
  const [first] = read;
  if (!first) throw new TypeError("an ensemble needs at least one member");
  for (const member of read) checkAlike(first, member, "the ensemble's members");
  const { classes } = first;
  const values = new Float64Array(first.values.length);
  const scores = new Float64Array(classes);
  const normalisers = new Float64Array(read.length);
  const logCount = Math.log(read.length);
  for (let start = 0; start < values.length; start += classes) {
    const sums = values.subarray(start, start + classes);
    for (let m = 0; m < read.length; m++) {
      normalisers[m] = softmaxRow(read[m]!, start / classes, scores);
      for (let c = 0; c < classes; c++) sums[c]! += scores[c]!;
    }
    for (let c = 0; c < classes; c++) {
      const sum = sums[c]!;
      sums[c] = (sum >= SMALL ? Math.log(sum) : logSumOfScores(read, normalisers, start + c)) - logCount;
    }
  }
  return { values, classes };
}

/** ln Σ_m p_m at one place of the logits, without computing any p: minus infinity where all logits are. */
function logSumOfScores(members: readonly Logits[], normalisers: Float64Array, at: number): number {
  const logs = members.map(({ values }, m) => values[at]! - normalisers[m]!);
  const top = Math.max(...logs);
  return top === Number.NEGATIVE_INFINITY
    ? top
    : top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0));
}

/**
 * The scores of an ensemble: the mean of its members' softmax.
 *
 * @param members as `ensembleLogits`, which also says what is thrown
 * @returns probabilities [N, C], row-major, in float64
 */
export function ensembleProbabilities(members: readonly LogitsLike[]): Float64Array {
  return ensembleLogits(members).values.map(Math.exp) as Float64Array;
}
