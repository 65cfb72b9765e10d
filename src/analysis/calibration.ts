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
  const count = confidences.length;
  if (count === 0 || correct.length !== count) {
    throw new TypeError(
      `calibration needs as many predictions as confidences, at least one: ${correct.length} and ${count}`,
    );
  }
  if (!(Number.isInteger(bins) && bins >= 1)) throw new RangeError(`bins must be >= 1, got ${bins}`);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < count; i++) {
    const confidence = confidences[i]!;
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new RangeError(`a confidence must be in [0, 1], got ${confidence}`);
    }
    gaps[Math.max(0, Math.ceil(confidence * bins - ROUNDING) - 1)]! += Number(correct[i]!) - confidence;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / count;
}
