/**
 * Augments whole batches of bytes: pads and crops at random, mirrors left to right, and normalises to channels-last
 * floats. What is drawn for an image depends on (seed, epoch, index) alone.
 */
import { type AugmentExtras, augmentInOnePass } from "../nn/cpu/index.js";
import type { Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import type { EraseOptions } from "./erase.js";
import type { JitterOptions } from "./jitter.js";
import type { MixingOptions } from "./mix.js";
import type { PolicyChoice } from "./policies/index.js";
import { hash32, scaleTo } from "./random.js";

/** The random changes to the images of a training, in the order in which they are made; images are mixed last. */
export interface AugmentOptions extends MixingOptions {
  /** Changes brightness, contrast, saturation and hue of the bytes at random. */
  jitter?: JitterOptions;
  /** Applies random operations to the bytes: RandAugment or TrivialAugment. */
  policy?: PolicyChoice;
  /** Pixels of black padding on each side, out of which a window of the original size is cropped at random; 0 for none. */
  crop: number;
  /** Whether images are mirrored left to right, each with probability 1/2. */
  flip: boolean;
  /** Overwrites a rectangle of some images, after normalisation. */
  erase?: EraseOptions;
  /** Cuts a box of random size and shape out of each image and resizes it, of images in files alone. */
  resizedCrop?: ResizedCropOptions | false;
}

/** How the boxes of random resized crops are drawn (Szegedy et al., Going Deeper with Convolutions, 2015, section 6). */
export interface ResizedCropOptions {
  /** The smallest and the largest area of the box, as fractions of the image's. */
  area: readonly [number, number];
  /** The smallest and the largest width over height of the box; their logarithms are equally likely. */
  aspect: readonly [number, number];
}

/** Tells whether batches of these options can be made by an {@link Augmenter}, and so on any device. */
export function isForAnyDevice({ jitter, policy, erase }: AugmentOptions): boolean {
  return jitter === undefined && policy === undefined && erase === undefined;
}

/**
 * Draws what is done to each image of a batch.
 *
 * @param indices the images' places in their set, [B]
 * @returns [B, 3]; dy and dx in 0 .. 2 crop, where `crop` leaves the image unmoved; flip, 0 or 1
 */
export function drawOffsets(
  indices: Int32Array,
  { crop, flip }: Pick<AugmentOptions, "crop" | "flip">,
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

/** What is the same for every batch of a set. */
export interface AugmentSet {
  /** uint8 [N, C, H, W], contiguous */
  images: Tensor;
  /** Rows and columns of black around an image, less than its height and width; they are normalised too. */
  pad: number;
  /** The mean of each channel, a fraction of 255. */
  mean: readonly number[];
  /** The standard deviation of each channel, a fraction of 255. */
  std: readonly number[];
}

/** The arguments of {@link augment}, and of its like that runs on a background thread. */
export interface AugmentArguments extends AugmentSet {
  /** int64 [B], each 0 .. N - 1 */
  indices: Tensor;
  /** int32 [B, 3] of {@link drawOffsets} */
  offsets: Tensor;
}

/**
 * Crops, mirrors and normalises batches, `(value / 255 - mean) / std`, by plain torch operators. It serves devices
 * other than the CPU, and the CPU's fused operator is tested against it.
 *
 * Each of the 256 values is normalised once, on the CPU, and then looked up: divisions round differently from
 * device to device, and the same draws shall give the same bits on all. Everything else that a batch needs is
 * copied to the device before the first batch, since a copy in each step would make the step wait.
 */
export class Augmenter {
  readonly #set: AugmentSet;
  /** The normalised values of each channel, float32 [C * 256]. */
  readonly #values: Tensor;
  /** Where each channel's values begin, int32 [C]. */
  readonly #starts: Tensor;
  /** 0, 1, 2, …, int64 [H] and [W]. */
  readonly #rows: Tensor;
  readonly #columns: Tensor;

  /** @param set its images stay the caller's, and must live as long as this */
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
      // Advanced indices on both sides of the channels put the channels last: [B, H, W, C].
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

/** Makes one batch. @returns float32 [B, C, H, W], channels-last */
export function augment({ indices, offsets, ...set }: AugmentArguments): Tensor {
  return torch.scope(() => {
    const augmenter = new Augmenter(set);
    const batch = augmenter.batch(indices, offsets.to({ dtype: "int64" }));
    augmenter.dispose();
    return batch;
  });
}

/**
 * Makes the same batch as {@link augment}, by the fused operator on a background thread, which does what `extras` ask for
 * too. CPU only.
 */
export async function augmentInBackground(args: AugmentArguments, extras?: AugmentExtras): Promise<Tensor> {
  const { images, indices, offsets, pad, mean, std } = args;
  return await augmentInOnePass(images, indices, offsets, pad, mean, std, extras);
}
