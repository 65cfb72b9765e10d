import type { MeanEstimate } from "../../../study/statistics/index.js";

/** An axis's two ends. */
export type Extent = readonly [low: number, high: number];

/**
 * Finds the ends of an axis that shows all means and seeds, and intervals as far as they leave the rest readable:
 * that of two seeds is 13 times as wide as its standard error, and would make a line of all else.
 */
export function extentOf(
  points: readonly { mean: MeanEstimate; seeds: readonly number[] }[],
  others: readonly number[] = [],
): Extent {
  const values = [...points.flatMap(({ mean, seeds }) => [mean.mean, ...seeds]), ...others];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.5 * (most - least), 1e-3);
  const ends = points.flatMap(({ mean: { interval } }) => (interval ? [interval.low, interval.high] : []));
  const inReach = ends.map((end) => Math.min(most + room, Math.max(least - room, end)));
  return widened([Math.min(least, ...inReach), Math.max(most, ...inReach)]);
}

/** Makes an axis at least a hundredth long, around its middle: one value alone has no scale of its own. */
export function widened([low, high]: Extent, shortest = 0.01): Extent {
  const missing = Math.max(0, shortest - (high - low)) / 2;
  return [low - missing, high + missing];
}

/** Moves a value that lies beyond an axis to its end. */
export const within = ([low, high]: Extent, value: number) => Math.min(high, Math.max(low, value));

/** Tells whether some interval goes on beyond the axis. */
export function isCut([low, high]: Extent, points: readonly { mean: MeanEstimate }[]): boolean {
  return points.some(({ mean: { interval } }) => interval && (interval.low < low || interval.high > high));
}
