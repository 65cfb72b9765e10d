import { checkAlike, type LogitsLike } from "./logits.js";
import { teacherAgreement } from "./metrics/teacher-agreement.js";
import { Predictions } from "./predictions.js";

/**
 * Computes the fraction of images for which two networks have the same best class: the metric
 * `teacherAgreement`, for any two networks. Where several classes share the top logit, the lowest one is the
 * best.
 *
 * @param a logits [N, C]
 * @param b logits [N, C], for the same images in the same order
 * @returns a fraction
 * @throws TypeError when the shapes differ or are not [N, C]
 */
export function agreement(a: LogitsLike, b: LogitsLike): number {
  const [network, teacher] = [new Predictions(a), new Predictions(b)];
  checkAlike(network.logits, teacher.logits, "the logits compared");
  return teacherAgreement.compute({ network, teacher, labels: [], k: 2 });
}
