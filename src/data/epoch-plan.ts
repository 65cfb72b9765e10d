import { type BatchPart, partOf, type Ranks } from "./batch-part.js";

/** The places of a batch's images in the order of an epoch: from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a process loads for one batch. */
export interface PlannedBatch extends Span {
  /** The batch's position in the epoch, from 0. */
  readonly step: number;
  /** How many of the loaded images, the first ones, are the batch; those after them are only partners of mixed ones. */
  readonly count: number;
  /** The place of the images in the batch of all processes; undefined where there is one process. */
  readonly part?: BatchPart;
}

export interface EpochPlan {
  /** The images of the set that are loaded, in the order of the batches. */
  readonly order: Int32Array;
  /** The batches, whose spans are places in `order`. */
  readonly batches: readonly PlannedBatch[];
}

/** Plans an epoch for one process, which loads every image. */
export function planForOne(order: Int32Array, spans: readonly Span[]): EpochPlan {
  const batches = spans.map(({ start, end }, step) => ({ step, start, end, count: end - start }));
  return { order, batches };
}

/**
 * Plans an epoch for one of several processes, which loads its part of each batch, and behind it the partners with which its
 * images are mixed and which belong to other processes.
 *
 * @param order the images of the epoch of all processes
 * @param spans the batches of all processes
 * @param options.fewest see {@link partOf}
 * @param options.partnersOf gives the places in the whole batch, by the places of the images there, of the partners with
 *   which they are mixed; undefined where nothing is mixed
 */
export function planForRank(
  order: Int32Array,
  spans: readonly Span[],
  {
    ranks,
    fewest,
    partnersOf,
  }: { ranks: Ranks; fewest: number; partnersOf: ((step: number) => Int32Array) | undefined },
): EpochPlan {
  const loaded: Int32Array[] = [];
  let start = 0;
  const batches = spans.map((span, step) => {
    const { end: last, ...part } = partOf(span.end - span.start, ranks, fewest);
    const places = [
      ...Array.from({ length: last - part.start }, (_, i) => part.start + i),
      ...foreign(partnersOf?.(step), part.start, last),
    ];
    loaded.push(Int32Array.from(places, (place) => order[span.start + place]!));
    const planned = { step, start, end: start + places.length, count: last - part.start, part };
    start = planned.end;
    return planned;
  });
  const all = new Int32Array(start);
  batches.forEach((batch, step) => {
    all.set(loaded[step]!, batch.start);
  });
  return { order: all, batches };
}

/** The partners, each once, of the images from `start` to before `end` that are not themselves among these. */
export function foreign(partners: Int32Array | undefined, start: number, end: number): number[] {
  if (!partners) return [];
  const others = partners.subarray(start, end).filter((place) => place < start || place >= end);
  return [...new Set(others)];
}
