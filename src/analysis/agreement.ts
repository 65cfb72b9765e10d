import { argmax, checkAlike, type LogitsLike, readLogits } from "./logits.js";

/**
 * The share of images that two networks give the same class (the first, where several share the top logit):
 * the fidelity of Stanton et al. 2021.
 *
 * @param a logits [N, C]
 * @param b logits [N, C], for the same images in the same order
 * @returns a fraction
 * @throws TypeError when the shapes differ or are not [N, C]
 */
export function agreement(a: LogitsLike, b: LogitsLike): number {
  const [one, other] = [readLogits(a), readLogits(b)];
  checkAlike(one, other, "the logits compared");
  const count = one.values.length / one.classes;
  let same = 0;
  for (let row = 0; row < count; row++) if (argmax(one, row) === argmax(other, row)) same++;
  return same / count;
}
