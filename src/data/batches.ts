import type { Device, Tensor } from "../torch/index.js";
import type { AugmentOptions } from "./augment.js";
import type { Span } from "./epoch-plan.js";

/** The tensors of a batch; whoever receives them disposes of them. */
export interface BatchTensors {
  /** float32 [B, C, H, W], channels-last, normalised */
  images: Tensor;
  /** int64 [B] */
  labels: Tensor;
}

/** Everything but the order that decides the batches of a set. */
export interface BatchOptions {
  augment: AugmentOptions;
  seed: number;
  mean: readonly number[];
  std: readonly number[];
  device: Device;
}

/** Makes the batches of one epoch. */
export interface EpochBatches {
  /** Makes a batch of the images that stand from `start` to before `end` in the epoch's order. */
  make(start: number, end: number): Promise<BatchTensors>;
  dispose(): void;
}

/** Makes the batches of a set. */
export interface BatchSource {
  /**
   * @param order the images of the epoch in their order
   * @param spans the batches that will be asked for, in their order, for sources that make some ahead
   */
  epoch(order: Int32Array, epoch: number, spans: readonly Span[]): EpochBatches;
  dispose(): void;
}
