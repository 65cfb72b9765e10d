import { checkAlike, type Logits, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/**
 * The ensemble whose scores are the mean of its members' softmax, as logits: their logarithm, taken by
 * logsumexp so that it is finite even where every member's score is 0. Whatever judges one network judges
 * an ensemble: `evaluateLogits(ensembleLogits([a, b]), labels)`.
 *
 * @param members logits [N, C] of each, for the same images in the same order
 * @returns log-probabilities [N, C] in float64
 * @throws TypeError when there are no members or their shapes differ, RangeError when a row holds NaN
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
  for (let row = 0; row < values.length / classes; row++) {
    for (let m = 0; m < read.length; m++) normalisers[m] = softmaxRow(read[m]!, row, scores);
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let m = 0; m < read.length; m++) top = Math.max(top, read[m]!.values[i]! - normalisers[m]!);
      let sum = 0;
      for (let m = 0; m < read.length; m++) sum += Math.exp(read[m]!.values[i]! - normalisers[m]! - top);
      values[i] = top === Number.NEGATIVE_INFINITY ? top : top + Math.log(sum) - logCount;
    }
  }
  return { values, classes };
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
