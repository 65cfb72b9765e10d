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

/** What {@link augment} and the operator `lyceum::augment` take. */
export interface AugmentArguments {
  /** uint8 [N, C, H, W], contiguous */
  images: Tensor;
  /** int64 [B], 0 .. N - 1 */
  indices: Tensor;
  /** int32 [B, 3] of {@link drawOffsets} */
  offsets: Tensor;
  /**
   * Rows and columns of zeros around an image, less than its height and width. The padding is black:
   * normalised too.
   */
  pad: number;
  /** One per channel, fractions of 255. */
  mean: readonly number[];
  std: readonly number[];
}

/**
 * Crops, mirrors and normalises a batch, `(value / 255 - mean) / std`, out of plain torch operators: for
 * devices other than the CPU, and what the CPU's fused operator is tested against.
 *
 * @returns float32 [B, C, H, W], channels-last
 */
export function augment({ images, indices, offsets, pad, mean, std }: AugmentArguments): Tensor {
  return torch.scope(() => {
    const device = images.device;
    const [, channels, height, width] = images.shape as [number, number, number, number];
    const along = (n: number) => torch.arange(0, n, 1, { dtype: "int64", device });
    const [dy, dx, flip] = [0, 1, 2].map((column) =>
      offsets.select(1, column).to({ dtype: "int64" }).unsqueeze(1),
    );
    const rows = along(height).add(dy!);
    const straight = along(width);
    const columns = torch.where(flip!.eq(1), straight.neg().add(width - 1), straight).add(dx!);
    const padded = torch.constantPadNd(images.indexSelect(0, indices), [pad, pad, pad, pad], 0);
    const batch = along(indices.shape[0]!).reshape([-1, 1, 1]);
    // Indices on both sides of the channels put them last: [B, H, W, C].
    const pixels = padded.index([batch, undefined, rows.unsqueeze(2), columns.unsqueeze(1)]);
    const perChannel = (values: readonly number[]) =>
      torch.tensor([...values], { device }).reshape([channels]);
    const normalised = pixels.to({ dtype: "float32" }).div(255).sub(perChannel(mean)).div(perChannel(std));
    return normalised.permute([0, 3, 1, 2]);
  });
}

/** As {@link augment}, fused, on a background thread. CPU only. */
export async function augmentInBackground(args: AugmentArguments): Promise<Tensor> {
  const { images, indices, offsets, pad, mean, std } = args;
  return await torch.opAsync("lyceum::augment", images, indices, offsets, pad, [...mean], [...std]);
}
