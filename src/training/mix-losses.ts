import type { Losses } from "../methods/index.js";
import type { Tensor } from "../torch/index.js";

/**
 * Mixes the losses of one batch of mixed images, computed with the labels of either image: `weight · own + (1 - weight) ·
 * other`, the loss and each of its terms alike.
 *
 * Where a loss is affine in the distribution of the label, as cross-entropy is, this is exactly the loss for the mixed
 * distribution `weight · own label + (1 - weight) · other label` (Zhang et al., mixup, ICLR 2018). A term that has no
 * label in it stays as it is.
 *
 * @param weight a scalar tensor from 0 to 1
 * @throws TypeError when the terms are not the same ones
 */
export function mixLosses(own: Losses, other: Losses, weight: Tensor): Losses {
  const [names, others] = [Object.keys(own.terms), Object.keys(other.terms)];
  if (`${names}` !== `${others}`)
    throw new TypeError(`the terms of a loss must be the same for every label, got ${names} and ${others}`);
  const rest = weight.neg().add(1);
  const mixed = (a: Tensor, b: Tensor) => a.mul(weight).add(b.mul(rest));
  const terms = Object.entries(own.terms).map(([name, term]) => [name, mixed(term, other.terms[name]!)]);
  return { loss: mixed(own.loss, other.loss), terms: Object.fromEntries(terms) };
}
