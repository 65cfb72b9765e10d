import { checkAlike, type Logits, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/**
 * The smallest sum of scores whose logarithm is computed from the sum itself. Scores below it come close to
 * the smallest normal number of float64 (2.2e-308), where they lose digits or become 0.
 */
const SMALL = 1e-290;

/**
 * Computes logits of the ensemble whose scores are the mean of its members' softmax: the logarithm of that
 * mean, which is finite even where the score of every member is 0 in float64. So an ensemble is evaluated as
 * a network is: `evaluateLogits(ensembleLogits([a, b]), labels)`.
 *
 * @param members the logits of each member, [N, C], for the same images in the same order
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

/**
 * Computes ln Σ_m p_m for one class of one image from log-probabilities, so that no p can become 0. The
 * result is minus infinity where the logits of all members are.
 */
function logSumOfScores(members: readonly Logits[], normalisers: Float64Array, at: number): number {
  const logs = members.map(({ values }, m) => values[at]! - normalisers[m]!);
  const top = Math.max(...logs);
  return top === Number.NEGATIVE_INFINITY
    ? top
    : top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0));
}

/**
 * Computes the scores of an ensemble: the mean of its members' softmax.
 *
 * @param members the logits of each member, as for {@link ensembleLogits}, which throws the same errors
 * @returns probabilities [N, C], row-major, in float64
 */
export function ensembleProbabilities(members: readonly LogitsLike[]): Float64Array {
  return ensembleLogits(members).values.map(Math.exp) as Float64Array;
}
