/**
 * The size at which a bucket of gradients is sent, in bytes, where nothing else is asked for.
 *
 * Small buckets leave sooner, and less is left to send after backward. But each costs 3 (n - 1) messages one after the other, round
 * the ring of n ranks, whatever its size: 4 MiB for up to 8 ranks, and in proportion beyond them, so that messages
 * do not come to take longer than bytes (docs/scale.md).
 */
export function bucketBytesFor(ranks: number): number {
  return 4 * 2 ** 20 * Math.max(1, ranks / 8);
}
