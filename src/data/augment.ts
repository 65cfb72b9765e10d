/**
 * Augmentation of whole batches of bytes: pad and random crop, horizontal flip, normalisation, to
 * channels-last floats. What is drawn for an image depends on (seed, epoch, index) alone.
 */

import type { Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { hash32, scaleTo } from "./random.js";

export interface AugmentOptions {
  /** Pixels of black padding on each side before a crop of the original size at random; 0 for none. */
  crop: number;
  /** Mirror left to right with probability 1/2. */
  flip: boolean;
}

/**
 * What to do with each image of a batch.
 *
 * @param indices of the images in their set
 * @returns [B, 3]: dy and dx, 0 .. 2 crop, where `crop` means unmoved; flip, 0 or 1
 */
export function drawOffsets(
  indices: Int32Array,
  { crop, flip }: AugmentOptions,
  seed: number,
  epoch: number,
): Int32Array {
  const offsets = new Int32Array(3 * indices.length);
  indices.forEach((index, b) => {
    offsets[3 * b] = scaleTo(2 * crop + 1, hash32(seed, epoch, index, 0));
    offsets[3 * b + 1] = scaleTo(2 * crop + 1, hash32(seed, epoch, index, 1));
    offsets[3 * b + 2] = flip ? scaleTo(2, hash32(seed, epoch, index, 2)) : 0;
  });
  return offsets;
}

/** What every batch of a set has in common. */
export interface AugmentSet {
  /** uint8 [N, C, H, W], contiguous */
  images: Tensor;
  /**
   * Rows and columns of zeros around an image, less than its height and width. The padding is black:
   * normalised too.
   */
  pad: number;
  /** One per channel, fractions of 255. */
  mean: readonly number[];
  std: readonly number[];
}

/** What {@link augment} and the operator `lyceum::augment` take. */
export interface AugmentArguments extends AugmentSet {
  /** int64 [B], 0 .. N - 1 */
  indices: Tensor;
  /** int32 [B, 3] of {@link drawOffsets} */
  offsets: Tensor;
}

/**
 * Crops, mirrors and normalises batches, `(value / 255 - mean) / std`, out of plain torch operators: for devices other
 * than the CPU, and what the CPU's fused operator is tested against.
 *
 * Each of the 256 values is normalised once, here on the CPU, and then looked up: divisions round differently from
 * device to device, and the same draws shall give the same bits on all. What a batch needs besides lies on the device
 * before the first one, since bringing it there would make each step wait.
 */
export class Augmenter {
  readonly #set: AugmentSet;
  /** float32 [C * 256] */
  readonly #values: Tensor;
  /** int32 [C]: where a channel's values begin. */
  readonly #starts: Tensor;
  /** int64 [H] and [W]: 0, 1, 2, … */
  readonly #rows: Tensor;
  readonly #columns: Tensor;

  /** @param set whose images stay the caller's */
  constructor(set: AugmentSet) {
    const { images, mean, std } = set;
    const { device } = images;
    const [, channels, height, width] = images.shape as [number, number, number, number];
    const along = (n: number) => torch.keep(torch.arange(0, n, 1, { dtype: "int64", device }));
    const starts = Int32Array.from({ length: channels }, (_, channel) => 256 * channel);
    this.#set = set;
    this.#values = torch.keep(torch.tensor(normalisedValues(mean, std), { device }));
    this.#starts = torch.keep(torch.tensor(starts, { device }));
    this.#rows = along(height);
    this.#columns = along(width);
  }

  /**
   * @param indices int64 [B], 0 .. N - 1
   * @param offsets int64 [B, 3] of {@link drawOffsets}
   * @returns float32 [B, C, H, W], channels-last
   */
  batch(indices: Tensor, offsets: Tensor): Tensor {
    return torch.scope(() => {
      const { images, pad } = this.#set;
      const { device } = images;
      const size = indices.shape[0]!;
      const [dy, dx, flip] = [0, 1, 2].map((column) => offsets.narrow(1, column, 1));
      const straight = this.#columns;
      const rows = this.#rows.add(dy!);
      const mirrored = straight.neg().add(straight.numel - 1);
      const columns = torch.where(flip!.eq(1), mirrored, straight).add(dx!);
      const padded = torch.constantPadNd(images.indexSelect(0, indices), [pad, pad, pad, pad], 0);
      const image = torch.arange(0, size, 1, { dtype: "int64", device }).reshape([-1, 1, 1]);
      // Indices on both sides of the channels put them last: [B, H, W, C].
      const pixels = padded.index([image, undefined, rows.unsqueeze(2), columns.unsqueeze(1)]);
      const places = pixels.add(this.#starts);
      const values = this.#values.indexSelect(0, places.reshape([-1])).reshape(places.shape);
      return values.permute([0, 3, 1, 2]);
    });
  }

  dispose(): void {
    for (const tensor of [this.#values, this.#starts, this.#rows, this.#columns]) tensor.dispose();
  }
}

/**
 * What each value of a byte becomes in each channel, `(value / 255 - mean) / std`, every operation rounded to float32 as
 * the fused operator rounds it.
 *
 * @returns [C * 256]
 */
export function normalisedValues(mean: readonly number[], std: readonly number[]): Float32Array {
  const { fround } = Math;
  return Float32Array.from({ length: 256 * mean.length }, (_, at) => {
    const channel = Math.floor(at / 256);
    const centred = fround(fround((at % 256) / 255) - fround(mean[channel]!));
    return fround(centred / fround(std[channel]!));
  });
}

/** One batch by an {@link Augmenter} of its own. @returns float32 [B, C, H, W], channels-last */
export function augment({ indices, offsets, ...set }: AugmentArguments): Tensor {
  return torch.scope(() => {
    const augmenter = new Augmenter(set);
    const batch = augmenter.batch(indices, offsets.to({ dtype: "int64" }));
    augmenter.dispose();
    return batch;
  });
}

/** As {@link augment}, fused, on a background thread. CPU only. */
export async function augmentInBackground(args: AugmentArguments): Promise<Tensor> {
  const { images, indices, offsets, pad, mean, std } = args;
  return await torch.opAsync("lyceum::augment", images, indices, offsets, pad, [...mean], [...std]);
}
