/**
 * A model of the time of a step that several ranks take together: what a rank computes, and what of the summing of gradients
 * it does not hide. docs/scale.md says where it holds.
 */

/** What one rank reaches another by. */
export interface Link {
  /** The time that a message needs whatever its size, in seconds: one neighbour to the next, both programs included. */
  hopSeconds: number;
  /** What a rank can send, and receive at the same time, in bytes a second. */
  bytesPerSecond: number;
}

/** What a rank does in a step. */
export interface RankWork {
  /** The time of a step of the rank's own images without any summing, in seconds. */
  computeSeconds: number;
  /** All gradients, in bytes. */
  gradientBytes: number;
  /** The size of the buckets in which they are summed, in bytes. Default: as in training, {@link bucketBytesFor}. */
  bucketBytes?: number;
  /**
   * The fraction of the time of summing for which the processor is busy, and taken from computing: 1 where ranks have no core
   * to spare and the network is the machine's own memory, about 0 where there are cores to spare. Default: 0.
   */
  busyShare?: number;
}

/** The part of a step's computing that is its backward pass: two products of three. */
const backwardShare = 2 / 3;

/**
 * The time of an all-reduce of n ranks in a ring, in seconds: first each rank's description goes round (n - 1 hops), by which ranks
 * make sure that they do the same, then each n-th of the numbers goes round twice (2 (n - 1) hops; Patarasuk and Yuan 2009), in
 * which a rank sends 2 (n - 1) / n of the bytes.
 */
export function allReduceSeconds(bytes: number, ranks: number, { hopSeconds, bytesPerSecond }: Link): number {
  if (ranks === 1) return 0;
  return 3 * (ranks - 1) * hopSeconds + (2 * (ranks - 1) * bytes) / (ranks * bytesPerSecond);
}

/** The size of training's buckets: that of `src/distributed/bucket-size.ts`. */
export function bucketBytesFor(ranks: number): number {
  return 4 * 2 ** 20 * Math.max(1, ranks / 8);
}

/** The number of buckets of a work's gradients, of about equal size. */
export function bucketsOf({ gradientBytes, bucketBytes }: RankWork, ranks: number): number {
  bucketBytes ??= bucketBytesFor(ranks);
  return Math.max(1, Math.ceil(gradientBytes / bucketBytes));
}

/** The time in which the gradients of a step are summed, bucket after bucket, were nothing computed meanwhile, in seconds. */
export function summingSeconds(work: RankWork, ranks: number, link: Link): number {
  const buckets = bucketsOf(work, ranks);
  return buckets * allReduceSeconds(work.gradientBytes / buckets, ranks, link);
}

/**
 * The time of a step, in seconds.
 *
 * The first of k buckets is full after a k-th of the backward pass. From then on sums hide behind it, but for what they need of
 * the processor; the last bucket never does. After the sums, one more small all-reduce tells the ranks of each other's losses.
 */
export function stepSeconds(work: RankWork, ranks: number, link: Link): number {
  const { computeSeconds, busyShare = 0 } = work;
  if (ranks === 1) return computeSeconds;
  const buckets = bucketsOf(work, ranks);
  const summing = summingSeconds(work, ranks, link);
  const waiting = (1 - busyShare) * summing;
  const hideable = backwardShare * (1 - 1 / buckets) * computeSeconds;
  const exposed = Math.max(waiting / buckets, waiting - hideable);
  return computeSeconds + busyShare * summing + exposed + allReduceSeconds(64, ranks, link);
}

/** The images a second of n ranks as a fraction of n times those of one, each rank having as many images as the one. */
export function efficiency(work: RankWork, ranks: number, link: Link): number {
  return work.computeSeconds / stepSeconds(work, ranks, link);
}

/**
 * The link that explains two measured all-reduces.
 *
 * @param small seconds of a few bytes, which the hops take
 * @param large bytes, and the seconds that they take
 */
export function linkOf(ranks: number, small: number, large: { bytes: number; seconds: number }): Link {
  const hopSeconds = small / (3 * (ranks - 1));
  return {
    hopSeconds,
    bytesPerSecond: (2 * (ranks - 1) * large.bytes) / ranks / Math.max(large.seconds - small, 1e-9),
  };
}

/** The share for which the processor is busy that explains a measured step, from 0 to 1. */
export function busyShareOf(work: RankWork, ranks: number, link: Link, measuredSeconds: number): number {
  // A step takes the longer the busier it is: bisection.
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const busyShare = (low + high) / 2;
    if (stepSeconds({ ...work, busyShare }, ranks, link) < measuredSeconds) low = busyShare;
    else high = busyShare;
  }
  return (low + high) / 2;
}
