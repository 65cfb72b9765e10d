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

export interface Judge {
  /** The same by libtorch's operators, in float32. */
  libtorch: torch.Tensor;
  /** The same in float64. */
  exact: torch.Tensor;
  /** The size of the numbers that the result is made of, where they may cancel. Default: that of the result. */
  size?: number;
  what?: string;
  /** How many layers the result went through, each of which adds its roundings to those before. Default: 1. */
  layers?: number;
}

/** So many roundings of the largest value are allowed for each layer in any case: libtorch may happen to make none. */
const roundings = 64;

/** Expects a result that is as exact as libtorch's own, but for {@link multiple}. */
export function expectAsExact(
  found: torch.Tensor,
  { libtorch, exact, size = 0, what = "", layers = 1 }: Judge,
): void {
  const least = layers * roundings * unit * Math.max(size, largest(exact));
  expect(distance(found, exact), what).toBeLessThanOrEqual(multiple * distance(libtorch, exact) + least);
}
