import type { ImageSet } from "./image-set.js";
import { RandomSequence, shuffled } from "./random.js";

/**
 * Picks a random part of a set in which each class has its share, rounded up or down.
 *
 * @param count the number of images to pick, 0 .. labels.length
 * @param seed decides which
 * @returns indices into the set, ascending
 */
export function stratifiedSample(labels: Int32Array, count: number, seed: number): Int32Array {
  if (!Number.isInteger(count) || count < 0 || count > labels.length) {
    throw new RangeError(`stratifiedSample: count must be an integer in 0..${labels.length}, got ${count}`);
  }
  const members = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const known = members.get(label);
    if (known) known.push(index);
    else members.set(label, [index]);
  });
  // By largest remainders: every share is rounded down, and what is left goes to those that lost most, equal ones
  // by lot.
  const random = new RandomSequence(seed, 0);
  const classes = [...members].sort(([a], [b]) => a - b);
  const shares = classes.map(([label, indices]) => {
    const exact = (count * indices.length) / labels.length;
    return { label, indices, take: Math.floor(exact), lost: exact - Math.floor(exact), lot: random.uint32() };
  });
  const left = count - shares.reduce((sum, { take }) => sum + take, 0);
  const byLoss = [...shares].sort((a, b) => b.lost - a.lost || a.lot - b.lot);
  for (const share of byLoss.slice(0, left)) share.take++;
  const picked = shares.flatMap(({ label, indices, take }) => [
    ...shuffled(Int32Array.from(indices), seed, 1, label).subarray(0, take),
  ]);
  return Int32Array.from(picked).sort();
}

/**
 * Splits a part off a training set, to validate on. Every class gives its share, within one image.
 *
 * @param options.fraction of the images, 0 .. 0.5; their number is rounded
 * @returns indices into the set, both ascending; together every image once
 * @throws RangeError when the fraction is out of range
 */
export function splitHeldOut(
  set: Pick<ImageSet, "labels">,
  { fraction, seed }: { fraction: number; seed: number },
): { train: Int32Array; heldOut: Int32Array } {
  if (!(fraction >= 0 && fraction <= 0.5)) {
    throw new RangeError(`splitHeldOut: fraction must be between 0 and 0.5, got ${fraction}`);
  }
  const { labels } = set;
  const heldOut = stratifiedSample(labels, Math.round(fraction * labels.length), seed);
  const isHeldOut = new Uint8Array(labels.length);
  for (const index of heldOut) isHeldOut[index] = 1;
  return { train: Int32Array.from(labels.keys()).filter((index) => !isHeldOut[index]), heldOut };
}
