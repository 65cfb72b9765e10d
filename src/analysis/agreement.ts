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

/**
 * Computes for each pair of networks the fraction of images for which they have different best classes. The
 * mean over the pairs of an ensemble's members is its metric `disagreement`.
 *
 * @param networks the logits of each, [N, C], for the same images in the same order
 * @returns [M, M] for M networks: symmetric, 0 on the diagonal
 * @throws TypeError when shapes differ or are not [N, C]
 */
export function pairwiseDisagreement(networks: readonly LogitsLike[]): number[][] {
  const all = networks.map((network) => new Predictions(network));
  for (const { logits } of all) checkAlike(all[0]!.logits, logits, "the logits compared");
  return all.map(({ topClasses }) =>
    all.map((other) => {
      const differing = topClasses.filter((best, image) => best !== other.topClasses[image]);
      return differing.length / topClasses.length;
    }),
  );
}
