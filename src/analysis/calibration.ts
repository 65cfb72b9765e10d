/**
 * A confidence that lies above the edge of a bin by at most this much still belongs to the bin below the
 * edge. An ensemble of three sure members often has the top score 2/3, which is an edge of 15 bins, and
 * rounding must not decide its bin.
 */
const ROUNDING = 1e-9;

/**
 * Computes the expected calibration error: `Σ_b |B_b| / N · |accuracy(B_b) - confidence(B_b)|` over
 * equal-width bins (lower, upper] of the top score (Guo et al. 2017, equation 3).
 *
 * @param confidences the top score of each image, fractions
 * @param correct whether the prediction was right, one for each image
 * @param bins how many bins there are, default 15
 * @returns a fraction
 * @throws TypeError when there are no images or the counts differ, RangeError when a confidence is not in [0,
 *   1] or bins is not a whole number >= 1
 */
export function expectedCalibrationError(
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean | number>,
  bins = 15,
): number {
  check(confidences, correct, bins);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < confidences.length; i++)
    gaps[binOf(confidences[i]!, bins)]! += Number(correct[i]!) - confidences[i]!;
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / confidences.length;
}

/**
 * Computes the expected calibration error over bins of equal mass: the images are sorted by their top score
 * and cut into bins of as many images each, within one (the adaptive bins of Nixon et al. 2019, on the top
 * score alone). Where images of one top score lie on both sides of a cut, each bin gets its share of the
 * right ones among them, so that the order of the images does not matter.
 *
 * @param confidences the top score of each image, fractions
 * @param correct whether the prediction was right, one for each image
 * @param bins how many bins there are, default 15; where there are fewer images, each is a bin
 * @returns a fraction
 * @throws TypeError and RangeError as {@link expectedCalibrationError}
 */
export function adaptiveCalibrationError(
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean | number>,
  bins = 15,
): number {
  check(confidences, correct, bins);
  const count = confidences.length;
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => confidences[a]! - confidences[b]!,
  );
  const gaps = new Float64Array(Math.min(bins, count));
  for (let from = 0, to = 0; from < count; from = to) {
    const confidence = confidences[order[from]!]!;
    let right = 0;
    for (; to < count && confidences[order[to]!] === confidence; to++) right += Number(correct[order[to]!]!);
    const gap = right / (to - from) - confidence;
    for (let i = from; i < to; i++) gaps[Math.floor((i * gaps.length) / count)]! += gap;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / count;
}

/**
 * What a bin of equal width holds, in parts of all images, so that the bins of several networks can be
 * averaged: its accuracy is `right / images`, its confidence `confidence / images`.
 */
interface BinSums {
  /** The fraction of all images whose top score lies in the bin. */
  images: number;
  /** The fraction of all images that lie in the bin and are predicted right. */
  right: number;
  /** The sum of the top scores in the bin, divided by the number of all images. */
  confidence: number;
}

/**
 * Sums up the bins of a reliability diagram: equal-width bins (lower, upper] of the top score, those of
 * {@link expectedCalibrationError}, which is `Σ_b |right - confidence|` of them.
 *
 * @param confidences the top score of each image, fractions
 * @param correct whether the prediction was right, one for each image
 * @param bins how many bins there are, default 15
 * @returns one for each bin, from the lowest top scores to the highest
 * @throws TypeError and RangeError as {@link expectedCalibrationError}
 */
export function binSums(
  confidences: ArrayLike<number>,
  correct: ArrayLike<boolean | number>,
  bins = 15,
): BinSums[] {
  check(confidences, correct, bins);
  const sums = Array.from({ length: bins }, () => ({ images: 0, right: 0, confidence: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const bin = sums[binOf(confidences[i]!, bins)]!;
    bin.images++;
    bin.right += Number(correct[i]!);
    bin.confidence += confidences[i]!;
  }
  const part = (sum: number) => sum / confidences.length;
  return sums.map(({ images, right, confidence }) => ({
    images: part(images),
    right: part(right),
    confidence: part(confidence),
  }));
}

/** A bin of a reliability diagram that holds images; all numbers are fractions. */
export interface ReliabilityBin {
  /** The lower end of the bin, which is not in it. */
  lower: number;
  /** The upper end of the bin, which is in it. */
  upper: number;
  /** The part of all images that lies in the bin. */
  share: number;
  /** The part of the bin's images that are predicted right. */
  accuracy: number;
  /** The mean top score of the bin's images. */
  confidence: number;
}

/**
 * Reads the metric `reliability` as the bins of a reliability diagram (DeGroot and Fienberg 1983). A mean of
 * several networks' values can be read as well, and gives the bins of all their predictions together.
 *
 * @param values three numbers a bin, from the lowest top scores to the highest: the parts of all images that
 *   lie in it and that lie in it and are right, and the sum of its top scores over the number of all images
 * @returns the bins that hold images
 * @throws TypeError when the values are not three a bin
 */
export function reliabilityBins(values: readonly number[]): ReliabilityBin[] {
  const bins = values.length / 3;
  if (!Number.isInteger(bins) || bins === 0)
    throw new TypeError(`reliability is three numbers for each bin, got ${values.length} numbers`);
  return Array.from({ length: bins }, (_, b) => {
    const [share, right, confidence] = values.slice(3 * b) as [number, number, number];
    return {
      lower: b / bins,
      upper: (b + 1) / bins,
      share,
      accuracy: right / share,
      confidence: confidence / share,
    };
  }).filter(({ share }) => share > 0);
}

/** Gives the index of the bin (lower, upper] that a confidence lies in. */
function binOf(confidence: number, bins: number): number {
  return Math.max(0, Math.ceil(confidence * bins - ROUNDING) - 1);
}

function check(confidences: ArrayLike<number>, correct: ArrayLike<boolean | number>, bins: number): void {
  const count = confidences.length;
  if (count === 0 || correct.length !== count) {
    throw new TypeError(
      `calibration needs as many predictions as confidences, at least one: ${correct.length} and ${count}`,
    );
  }
  if (!(Number.isInteger(bins) && bins >= 1)) throw new RangeError(`bins must be >= 1, got ${bins}`);
  for (let i = 0; i < count; i++) {
    const confidence = confidences[i]!;
    if (!(confidence >= 0 && confidence <= 1))
      throw new RangeError(`a confidence must be in [0, 1], got ${confidence}`);
  }
}
