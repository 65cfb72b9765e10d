import type { Tensor } from "../torch/index.js";

/**
 * The entropy of the scores, `-sum_c p_c ln p_c`, the mean over the batch, from their log-probabilities [N, C].
 *
 * A class without a score, such as a masked one, adds nothing, because 0 · ln 0 is 0.
 *
 * @returns scalar in [0, ln C], nats
 */
export function entropyOf(logProbabilities: Tensor): Tensor {
  const scores = logProbabilities.exp();
  // Zero times minus infinity would be NaN, in the sum and in its gradient.
  const finite = logProbabilities.maskedFill(scores.eq(0), 0);
  return scores
    .mul(finite)
    .sum()
    .mul(-1 / logProbabilities.shape[0]!);
}
