import { checkAlike, type Logits, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/**
 * The smallest sum of scores whose logarithm is computed from the sum itself. Scores below it come close to
 * the smallest normal number of float64 (2.2e-308), where they lose digits or become 0.
 */
const SMALL = 1e-290;

/** How the members of an ensemble are put together. */
export interface EnsembleOptions {
  /**
   * What is averaged: "softmax" takes the mean of the members' scores, "logits" that of their logits, which is
   * the geometric mean of the scores, made to add up to 1. Default: "softmax".
   */
  mean?: "softmax" | "logits" | undefined;
  /**
   * How much each member counts, in the members' order: numbers of 0 or more, of which only the proportions
   * matter. A member of weight 0 has no influence. Default: all count the same.
   */
  weights?: readonly number[] | undefined;
}

/**
 * Computes logits of an ensemble, so that it is evaluated as a network is:
 * `evaluateLogits(ensembleLogits([a, b]), labels)`. The scores are the mean of the members' softmax, or the
 * softmax of the mean of their logits. The logarithm of the former is finite even where the score of every
 * member is 0 in float64.
 *
 * @param members the logits of each member, [N, C], for the same images in the same order
 * @returns log-probabilities [N, C] in float64
 * @throws TypeError when there are no members, their shapes differ or there is not one weight for each;
 *   RangeError when a weight is negative or not finite, all are 0, `mean` is unknown or a row has no softmax
 */
export function ensembleLogits(
  members: readonly LogitsLike[],
  { mean = "softmax", weights }: EnsembleOptions = {},
): Logits {
  const read = members.map((member) => readLogits(member));
  const [first] = read;
  if (!first) throw new TypeError("an ensemble needs at least one member");
  for (const member of read) checkAlike(first, member, "the ensemble's members");
  checkEnsembleOptions({ mean, weights }, read.length);
  const counted = read
    .map((logits, i) => ({ logits, weight: weights?.[i] ?? 1 }))
    .filter(({ weight }) => weight > 0);
  return mean === "softmax" ? meanOfScores(counted) : meanOfLogits(counted);
}

/** A member that has some influence, with its weight. */
interface Weighted {
  logits: Logits;
  weight: number;
}

/**
 * Checks options for an ensemble of so many members.
 *
 * @throws TypeError when there is not one weight for each member, RangeError when a weight is negative or not
 *   finite, all are 0, or `mean` is unknown
 */
export function checkEnsembleOptions({ mean = "softmax", weights }: EnsembleOptions, members: number): void {
  if (mean !== "softmax" && mean !== "logits")
    throw new RangeError(`mean must be "softmax" or "logits", got ${JSON.stringify(mean)}`);
  if (weights === undefined) return;
  if (weights.length !== members)
    throw new TypeError(`an ensemble of ${members} needs as many weights, got ${weights.length}`);
  const wrong = weights.find((weight) => !(Number.isFinite(weight) && weight >= 0));
  if (wrong !== undefined) throw new RangeError(`a weight must be a number of 0 or more, got ${wrong}`);
  const sum = sumOf(weights);
  if (!(sum > 0 && Number.isFinite(sum)))
    throw new RangeError(
      `the weights of an ensemble add up to ${sum}: some member must count, and not too much`,
    );
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function meanOfScores(members: readonly Weighted[]): Logits {
  const { classes, values: of } = members[0]!.logits;
  const values = new Float64Array(of.length);
  const scores = new Float64Array(classes);
  const normalisers = new Float64Array(members.length);
  const logWeight = Math.log(sumOf(members.map(({ weight }) => weight)));
  for (let start = 0; start < values.length; start += classes) {
    const sums = values.subarray(start, start + classes);
    for (let m = 0; m < members.length; m++) {
      const { logits, weight } = members[m]!;
      normalisers[m] = softmaxRow(logits, start / classes, scores);
      for (let c = 0; c < classes; c++) sums[c]! += weight * scores[c]!;
    }
    for (let c = 0; c < classes; c++) {
      const sum = sums[c]!;
      sums[c] = (sum >= SMALL ? Math.log(sum) : logSumOfScores(members, normalisers, start + c)) - logWeight;
    }
  }
  return { values, classes };
}

/**
 * Computes ln Σ_m w_m p_m for one class of one image from log-probabilities, so that no p can become 0. The
 * result is minus infinity where the logits of all members are.
 */
function logSumOfScores(members: readonly Weighted[], normalisers: Float64Array, at: number): number {
  const logs = members.map(
    ({ logits, weight }, m) => Math.log(weight) + logits.values[at]! - normalisers[m]!,
  );
  const top = Math.max(...logs);
  return top === Number.NEGATIVE_INFINITY
    ? top
    : top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0));
}

function meanOfLogits(members: readonly Weighted[]): Logits {
  const { classes, values: of } = members[0]!.logits;
  const mean = { values: new Float64Array(of.length), classes };
  const { values } = mean;
  const total = sumOf(members.map(({ weight }) => weight));
  const scores = new Float64Array(classes);
  for (let row = 0; row < values.length / classes; row++) {
    for (const { logits, weight } of members) {
      const normaliser = softmaxRow(logits, row, scores);
      for (let i = row * classes; i < (row + 1) * classes; i++)
        values[i]! += (weight / total) * (logits.values[i]! - normaliser);
    }
    const normaliser = softmaxRow(mean, row, scores);
    for (let i = row * classes; i < (row + 1) * classes; i++) values[i]! -= normaliser;
  }
  return mean;
}

/**
 * Computes the scores of an ensemble, as {@link ensembleLogits} defines them.
 *
 * @param members the logits of each member, as for {@link ensembleLogits}, which throws the same errors
 * @returns probabilities [N, C], row-major, in float64
 */
export function ensembleProbabilities(
  members: readonly LogitsLike[],
  options: EnsembleOptions = {},
): Float64Array {
  return ensembleLogits(members, options).values.map(Math.exp) as Float64Array;
}
