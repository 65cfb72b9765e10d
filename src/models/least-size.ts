import type { Tensor } from "../torch/index.js";

/**
 * Refuses images that a network would halve to nothing.
 *
 * @param x [N, C, H, W]; @param least the fewest rows and columns that it can take
 * @throws RangeError that names the network and both sizes
 */
export function checkLeastSize(network: string, x: Tensor, least: number): void {
  const [, , height = 0, width = 0] = x.shape;
  if (height >= least && width >= least) return;
  throw new RangeError(
    `${network} needs images of ${least} x ${least} pixels or more, got ${height} x ${width}: ` +
      "enlarge them, or choose a network for small images",
  );
}
