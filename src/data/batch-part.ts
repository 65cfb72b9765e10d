/** How a step's batch is divided among processes that train together. */

/** Which part of each batch a loader gives. */
export interface Ranks {
  /** The number of this process, from 0. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
}

/** The place of a process's images in the batch of all processes. */
export interface BatchPart {
  /** The place in the whole batch of the part's first image. */
  readonly start: number;
  /** The images of the whole batch. */
  readonly of: number;
  /** The images of the smallest part that a process has of it. */
  readonly least: number;
  /** What the part counts for in a mean over the whole batch; the shares of all processes sum to 1. */
  readonly share: number;
}

/**
 * Gives the part of a batch that a process computes. Parts follow each other in the order of the ranks, and their sizes differ
 * by one image at most.
 *
 * A batch of fewer than `fewest` images for each process, such as the last of an epoch, is computed by every process as a
 * whole, of which each counts for an equal share: what comes out is that of the batch, and no process is without images.
 *
 * @param count the images of the batch
 * @param fewest the images that a part must have, such as 2 for batch norm
 */
export function partOf(
  count: number,
  { rank, size }: Ranks,
  fewest: number,
): BatchPart & { readonly end: number } {
  if (count < size * fewest) return { start: 0, end: count, of: count, least: count, share: 1 / size };
  const least = Math.floor(count / size);
  const larger = count % size;
  const start = rank * least + Math.min(rank, larger);
  const length = least + (rank < larger ? 1 : 0);
  return { start, end: start + length, of: count, least, share: length / count };
}
