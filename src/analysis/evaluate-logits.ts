import { agreement } from "./agreement.js";
import { expectedCalibrationError } from "./calibration.js";
import { argmax, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/** What a network knows, over N images. Scores are softmax probabilities; ranks are taken image by image. */
export interface Evaluation {
  /** Fraction of images whose top class is the label. */
  top1: number;
  /** Fraction of images whose label is among the first min(5, C) classes. */
  top5: number;
  /** Mean of -ln p of the label, nats. */
  nll: number;
  /** Expected calibration error, 15 bins, a fraction. */
  ece: number;
  /** Mean score of rank 1. */
  meanTopScore: number;
  /** Mean score of one secondary class: over images, of the mean over ranks 2…k. */
  meanSecondaryScore: number;
  /** Mean score of ranks 1, 2, …, min(10, C). */
  scoreByRank: number[];
  /** Mean entropy of the scores, nats. */
  entropy: number;
  /** Fraction of images that the teacher gives the same class; only where teacher logits are given. */
  teacherAgreement?: number;
}

/**
 * Judges a network by its logits, in float64 and finite at extreme logits. Where logits are equal, the
 * lower class ranks first.
 *
 * @param logits [N, C], a tensor or plain values
 * @param labels N labels, each in 0..C-1
 * @param options.k classes that count as primary and secondary, 2..C; default min(5, C)
 * @param options.teacherLogits [N, C], for the same images in the same order
 * @throws TypeError when shapes do not fit, RangeError when k or a label is out of range or a row holds NaN
 */
export function evaluateLogits(
  logits: LogitsLike,
  labels: ArrayLike<number>,
  options: { k?: number; teacherLogits?: LogitsLike } = {},
): Evaluation {
  const read = readLogits(logits);
  const { values, classes } = read;
  const count = values.length / classes;
  const { k = Math.min(5, classes), teacherLogits } = options;
  if (!(Number.isInteger(k) && k >= 2 && k <= classes)) {
    throw new RangeError(`k must be a whole number from 2 to the ${classes} classes, got ${k}`);
  }
  if (labels.length !== count) {
    throw new TypeError(`${labels.length} labels for logits [${count}, ${classes}]`);
  }

  const scores = new Float64Array(classes);
  const best = new Float64Array(Math.min(classes, Math.max(10, k)));
  const sumByRank = new Float64Array(best.length);
  const confidences = new Float64Array(count);
  const correct = new Uint8Array(count);
  let [top5, nll, entropy] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const label = labels[row]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new RangeError(`label ${label} of image ${row} is not in 0..${classes - 1}`);
    }
    const normaliser = softmaxRow(read, row, scores);
    const start = row * classes;
    nll += normaliser - values[start + label]!;
    if (argmax(read, row) === label) correct[row] = 1;
    let before = 0;
    for (let c = 0; c < classes; c++) {
      const logit = values[start + c]!;
      if (logit > values[start + label]! || (logit === values[start + label]! && c < label)) before++;
      // A score of 0 adds nothing, though its logarithm may be infinite.
      if (scores[c]! > 0) entropy += scores[c]! * (normaliser - logit);
    }
    if (before < 5) top5++;
    largest(scores, best);
    for (let rank = 0; rank < best.length; rank++) sumByRank[rank]! += best[rank]!;
    confidences[row] = best[0]!;
  }

  const byRank = Array.from(sumByRank, (sum) => sum / count);
  const secondary = byRank.slice(1, k);
  return {
    top1: correct.reduce((sum, c) => sum + c, 0) / count,
    top5: top5 / count,
    nll: nll / count,
    ece: expectedCalibrationError(confidences, correct),
    meanTopScore: byRank[0]!,
    meanSecondaryScore: secondary.reduce((sum, score) => sum + score, 0) / secondary.length,
    scoreByRank: byRank.slice(0, 10),
    entropy: entropy / count,
    ...(teacherLogits && { teacherAgreement: agreement(read, teacherLogits) }),
  };
}

/** Fills `best` with the largest scores, highest first. By insertion: few are kept, most do not enter. */
function largest(scores: Float64Array, best: Float64Array): void {
  best.fill(Number.NEGATIVE_INFINITY);
  const last = best.length - 1;
  for (const score of scores) {
    if (score <= best[last]!) continue;
    let rank = last;
    for (; rank > 0 && best[rank - 1]! < score; rank--) best[rank] = best[rank - 1]!;
    best[rank] = score;
  }
}
