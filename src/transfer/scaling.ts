/**
 * How features are brought to one scale before a linear classifier sees them. All is measured on training features alone.
 */
import * as torch from "../torch/index.js";

/**
 * - `standardise`: each feature has mean 0 and standard deviation 1 over the training images; one that is the same for all of
 *   them becomes 0
 * - `l2`: each image's features have the length 1
 * - `none`: as they are
 */
export type Scaling = "standardise" | "l2" | "none";

export const scalings: readonly Scaling[] = ["standardise", "l2", "none"];

/**
 * Fits a scaling to training features.
 *
 * @param features [N, D]
 * @returns a function that scales features [M, D], to float64; its tensors belong to the current `torch.scope`
 */
export function fitScaling(
  features: torch.Tensor,
  scaling: Scaling,
): (features: torch.Tensor) => torch.Tensor {
  const fine = (x: torch.Tensor) => x.to({ dtype: "float64" });
  if (scaling === "none") return fine;
  if (scaling === "l2") return (x) => torch.scope(() => normalised(fine(x)));
  const [mean, factor] = torch.scope(() => {
    const x = fine(features);
    const mean = x.mean([0]);
    const deviation = x.sub(mean).square().mean([0]).sqrt();
    // Means of equal numbers are off by rounding, which must not be magnified.
    const isFlat = deviation.le(mean.abs().mul(1e-12).add(1e-300));
    return [mean, deviation.reciprocal().maskedFill(isFlat, 0)] as const;
  });
  return (x) => torch.scope(() => fine(x).sub(mean).mul(factor));
}

/** Divides each row by its length; a row of zeros stays. @param x [N, D] */
export function normalised(x: torch.Tensor): torch.Tensor {
  const length = x.square().sum([1], true).sqrt();
  return x.div(length.maskedFill(length.eq(0), 1));
}
