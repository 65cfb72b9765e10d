/** Bounds of rounding errors for tests. All follow from arithmetic, or from what libtorch itself rounds in the same test. */
import { expect } from "vitest";
import type * as torch from "../../torch/index.js";

/** What one rounding to float32 changes a number by at most, relative to it. */
export const unit = 2 ** -24;

/** The largest absolute value; 0 of none. */
export function largest(x: torch.Tensor): number {
  return x.numel === 0 ? 0 : x.detach().to({ dtype: "float64" }).abs().max().item();
}

/** The largest distance of a result from the one in float64. */
export function distance(found: torch.Tensor, exact: torch.Tensor): number {
  expect(found.shape).toEqual(exact.shape);
  return largest(found.detach().to({ dtype: "float64" }).sub(exact.detach()));
}

/**
 * How many times as far from the exact result as libtorch's own float32 result a fused one may be. Winograd's algorithm
 * F(4x4, 3x3) rounds about seven times as coarsely as the definition (Lavin and Gray 2016, table 6); the rest is what the
 * largest of many errors varies by.
 */
const multiple = 32;

/**
 * Expects a result that is as exact as libtorch's own, but for {@link multiple}.
 *
 * @param roundings how many roundings of the largest value are nothing to speak of, where libtorch happens to make none
 */
export function expectAsExact(
  found: torch.Tensor,
  { libtorch, exact, what = "", roundings = 64 }: Judge,
): void {
  const bound = multiple * distance(libtorch, exact) + roundings * unit * largest(exact);
  expect(distance(found, exact), what).toBeLessThanOrEqual(bound);
}

export interface Judge {
  /** The same by libtorch's operators, in float32. */
  libtorch: torch.Tensor;
  /** The same in float64. */
  exact: torch.Tensor;
  what?: string;
  roundings?: number;
}
