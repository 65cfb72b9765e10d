import type { Device, Tensor } from "../torch/index.js";
import type { AugmentOptions } from "./augment.js";
import type { ImageSet } from "./image-set.js";

/** The tensors of a batch; whoever receives them disposes of them. */
export interface Made {
  /** float32 [B, C, H, W], channels-last, normalised */
  images: Tensor;
  /** int64 [B] */
  labels: Tensor;
}

/** What decides the batches of a set, apart from their order. */
export interface BatchOptions {
  augment: AugmentOptions;
  seed: number;
  mean: readonly number[];
  std: readonly number[];
  device: Device;
}

/** One epoch's batches, each any part of its order. */
export interface EpochBatches {
  /** The images that stand from `start` to before `end` in the order. */
  make(start: number, end: number): Promise<Made>;
  dispose(): void;
}

/** A set from which batches are made. */
export interface BatchSource {
  epoch(order: Int32Array, epoch: number): EpochBatches;
  dispose(): void;
}

export type BatchSourceClass = new (set: ImageSet, options: BatchOptions) => BatchSource;
