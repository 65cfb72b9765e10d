/** The search for a strength at which a measure comes to a target, by interpolation between bounds. */

/** A strength that was tried, and the value that it gave. */
export interface Tried {
  strength: number;
  value: number;
}

/**
 * Proposes the strength to try next, so that a value that rises with the strength comes to a target: the straight
 * line between the nearest values below and above the target, kept off their ends; halfway to an end of the range
 * where all values are on one side. Where the target lies beyond the end of the range, it proposes the end itself, and then
 * nothing more.
 *
 * @param tried what was tried so far, in any order
 * @param range the least and the greatest strength that are allowed
 * @returns the strength to try, or undefined where nothing new is left to try
 */
export function nextStrength(
  tried: readonly Tried[],
  target: number,
  [least, greatest]: readonly [number, number],
): number | undefined {
  const sorted = [...tried].sort((a, b) => a.strength - b.strength);
  const below = sorted.findLast(({ value }) => value < target);
  const above = sorted.find(
    ({ value, strength }) => value >= target && strength > (below?.strength ?? -Infinity),
  );
  if (sorted.length === 0) return (least + greatest) / 2;
  const fresh = (strength: number) =>
    sorted.some((one) => one.strength === strength) ? undefined : strength;
  if (!above) return fresh(beyond(sorted.at(-1)!.strength, greatest));
  if (!below) return fresh(beyond(above.strength, least));
  const width = above.strength - below.strength;
  const share = (target - below.value) / (above.value - below.value);
  // A value that hardly changes on one side would leave the line at that end for ever.
  const kept = Math.min(0.9, Math.max(0.1, share));
  return fresh(below.strength + kept * width);
}

/** Goes three quarters of the way to an end of the range, and to the end itself once it is near. */
function beyond(from: number, end: number): number {
  const step = 0.75 * (end - from);
  return Math.abs(end - from) < 1e-3 * Math.max(1, Math.abs(end)) ? end : from + step;
}
