import type { Tensor } from "../torch/index.js";

/** How values of several ranks become one. */
export type Reduction = "sum" | "max" | "min";

/**
 * Processes that compute together, each with a rank from 0 to `size - 1`.
 *
 * All ranks must call the same methods in the same order, with tensors of the same shape and dtype. Each call begins by
 * comparing what the ranks are about to do, so that a difference is an error in all of them and never a wrong number.
 * Calls are carried out one after another on a thread of the group's own. The dtypes are float16, float32, float64,
 * uint8, int32 and int64; broadcast and allGather take every dtype.
 *
 * Any failure ends the group: whatever is called afterwards rejects with the same error. The errors are those of
 * errors.ts.
 */
export interface ProcessGroup extends AsyncDisposable {
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /** How long an operation waits for the other ranks, in seconds. */
  readonly timeoutSeconds: number;

  /** Replaces the elements by their sum over all ranks, or by the greatest or least. All ranks get the same bits. */
  allReduce(tensor: Tensor, reduction?: Reduction): Promise<void>;
  /**
   * As {@link allReduce}, but waits on the calling thread: for what must be done in the midst of a forward or backward
   * pass. The event loop stands still meanwhile, for `timeoutSeconds` at most.
   */
  allReduceSync(tensor: Tensor, reduction?: Reduction): void;
  /**
   * The sum over all ranks of a float tensor on the CPU, as a new tensor that can be differentiated: each rank's loss
   * has a share in it, so that the gradient is the sum over all ranks of theirs. Waits on the calling thread, in forward and
   * backward.
   */
  sum(tensor: Tensor): Tensor;
  /** Replaces the elements by those of one rank. */
  broadcast(tensor: Tensor, from?: number): Promise<void>;
  /** The tensors of all ranks, in their order. @returns [size, ...shape] */
  allGather(tensor: Tensor): Promise<Tensor>;
  /** Waits until all ranks are here. */
  barrier(): Promise<void>;
  /**
   * Gives each rank's text to all, by way of the store: no tensors are sent, and texts may have any length.
   *
   * @param key must not have been used before in this group
   * @returns the texts in the order of ranks
   */
  exchange(key: string, text: string): Promise<string[]>;
  /** Sums gradients over the ranks in buckets while a backward pass still runs. */
  averager(parameters: readonly Tensor[], options?: AveragerOptions): GradientAverager;
  /** The error in words and of its class, where the group failed within a backward pass and libtorch has wrapped it. */
  explain(error: unknown): unknown;
  /**
   * Leaves the group. The rank that holds the store waits a few seconds for the others, since theirs ends with it. A
   * group that failed is left at once.
   */
  leave(): Promise<void>;
}

export interface AveragerOptions {
  /** The size at which a bucket of gradients is sent, in bytes. Default: 4 MiB, and half a MiB a rank beyond eight. */
  bucketBytes?: number;
}

/** What one round of a {@link GradientAverager} came to. */
export interface AveragedRound {
  /** What each rank gave to `begin`, in the order of ranks. */
  notes: number[][];
  /** How long this rank's buckets waited for the same ones of the other ranks, in seconds. */
  waitingSeconds: number;
  /** The time in which buckets were summed, in seconds. */
  communicationSeconds: number;
  /** The part of both that the backward pass did not hide: from the call of `finish` to its end, in seconds. */
  exposedSeconds: number;
}

/**
 * Sums the gradients of a list of parameters over all ranks, bucket by bucket, as soon as the backward pass has made those
 * of a bucket.
 *
 * Gradients are summed, not averaged: each rank weighs its loss by its share of the step's images, and the sum is then the
 * gradient of the whole batch. A parameter that has no gradient on any rank has none afterwards. The sums lie in the buckets'
 * memory, which the next round writes over.
 */
export interface GradientAverager extends Disposable {
  /**
   * To be called right before a backward pass whose gradients are to be sent; where gradients of several passes add up,
   * before the last one.
   *
   * @param notes up to 8 numbers that all ranks shall know, such as whether this rank was asked to stop: as many on each rank
   */
  begin(notes?: readonly number[]): void;
  /** Resolves when each parameter's `grad` holds the sum over all ranks. */
  finish(): Promise<AveragedRound>;
  /** As {@link finish}, but waits on the calling thread. */
  finishSync(): AveragedRound;
}
