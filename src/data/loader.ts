import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { type AugmentOptions, augment, augmentInBackground, drawOffsets } from "./augment.js";
import type { ImageSet } from "./image-set.js";
import { shuffled } from "./random.js";

/** Some images, ready for a network. Whoever receives it disposes of it. */
export interface Batch {
  /** Position in the epoch, from 0. */
  readonly step: number;
  /** float32 [B, C, H, W], channels-last, normalised */
  readonly images: Tensor;
  /** int64 [B] */
  readonly labels: Tensor;
  /** [B], which images of the set these are */
  readonly indices: Int32Array;
  dispose(): void;
}

export interface LoaderOptions {
  /** The images to go through; all of the set when left out. */
  indices?: Int32Array | undefined;
  batchSize: number;
  /** Decides order and augmentation. Default 0. */
  seed?: number | undefined;
  /** A new order each epoch; otherwise that of `indices`. Default false. */
  shuffle?: boolean | undefined;
  /** Random crops and flips; none when left out. */
  augment?: AugmentOptions | undefined;
  /** Leave out the last batch of an epoch when it is not full. Default false. */
  dropLast?: boolean | undefined;
  /** For normalisation, one per channel, fractions of 255: {@link channelStatistics}. */
  mean: readonly number[];
  std: readonly number[];
  /** Where the batches are made. Default "cpu", where the next one is made in the background. */
  device?: Device | undefined;
}

const noAugmentation: AugmentOptions = { crop: 0, flip: false };

/**
 * Goes through a set in batches. An epoch is a pure function of (seed, epoch number): neither threads nor
 * what was read before change its order, crops or flips. While a batch is used, the next one is made on
 * another thread.
 */
export class Loader {
  /** Images in an epoch. */
  readonly size: number;
  /** Batches in an epoch. */
  readonly stepsPerEpoch: number;
  readonly #set: ImageSet;
  readonly #indices: Int32Array;
  readonly #options: LoaderOptions;
  readonly #images: Tensor;

  /** @throws RangeError when the batch size, an index, the crop or the normalisation is out of range */
  constructor(set: ImageSet, options: LoaderOptions) {
    const {
      indices = Int32Array.from({ length: set.count }, (_, i) => i),
      batchSize,
      dropLast = false,
    } = options;
    check(set, options, indices);
    const device = options.device ?? "cpu";
    this.#set = set;
    this.#indices = indices;
    this.#options = options;
    const whole = Math.floor(indices.length / batchSize) * batchSize;
    this.size = dropLast ? whole : indices.length;
    this.stepsPerEpoch = Math.ceil(this.size / batchSize);
    const shape = [set.count, set.channels, set.height, set.width];
    const { images } = set;
    const here =
      images.buffer instanceof SharedArrayBuffer
        ? torch.fromBuffer(images, shape)
        : torch.tensor(images, { shape });
    this.#images = torch.keep(here.to({ device }));
    if (this.#images !== here) here.dispose();
  }

  /** Which images an epoch goes through, in order. */
  order(epoch: number): Int32Array {
    const { shuffle = false, seed = 0 } = this.#options;
    const order = shuffle ? shuffled(this.#indices, seed, epoch) : this.#indices;
    return order.subarray(0, this.size);
  }

  /**
   * The batches of an epoch. The last one may be smaller.
   *
   * @param epoch any integer; it decides order, crops and flips
   * @param options.startStep the first batch to give, to go on in the middle of an epoch
   * @throws RangeError when `startStep` is out of range
   */
  async *epoch(
    epoch: number,
    { startStep = 0 }: { startStep?: number } = {},
  ): AsyncGenerator<Batch, void, undefined> {
    if (!Number.isInteger(startStep) || startStep < 0 || startStep > this.stepsPerEpoch) {
      throw new RangeError(
        `Loader: startStep must be an integer in 0..${this.stepsPerEpoch}, got ${startStep}`,
      );
    }
    const order = this.order(epoch);
    let next = this.#make(order, epoch, startStep);
    try {
      for (let step = startStep; step < this.stepsPerEpoch; step++) {
        const batch = await next;
        next = this.#make(order, epoch, step + 1);
        yield batch!;
      }
    } finally {
      // Whoever stops early leaves one batch in the making.
      (await next.catch(() => undefined))?.dispose();
    }
  }

  /** Frees the loader's view of the images. Batches already made stay. */
  dispose(): void {
    this.#images.dispose();
  }

  #make(order: Int32Array, epoch: number, step: number): Promise<Batch | undefined> {
    const made = this.#makeNow(order, epoch, step);
    // A failure is thrown where the batch is awaited, not while the one before it is still in use.
    made.catch(() => {});
    return made;
  }

  async #makeNow(order: Int32Array, epoch: number, step: number): Promise<Batch | undefined> {
    const {
      batchSize,
      seed = 0,
      augment: random = noAugmentation,
      mean,
      std,
      device = "cpu",
    } = this.#options;
    const indices = order.slice(step * batchSize, (step + 1) * batchSize);
    if (indices.length === 0) return undefined;
    const shape = [indices.length, 3];
    const args = {
      images: this.#images,
      indices: torch.keep(torch.tensor(indices, { dtype: "int64", device })),
      offsets: torch.keep(torch.tensor(drawOffsets(indices, random, seed, epoch), { shape, device })),
      pad: random.crop,
      mean,
      std,
    };
    const chosen = indices.map((index) => this.#set.labels[index]!);
    const labels = torch.keep(torch.tensor(chosen, { dtype: "int64", device }));
    try {
      const images = torch.keep(device === "cpu" ? await augmentInBackground(args) : augment(args));
      const dispose = () => {
        images.dispose();
        labels.dispose();
      };
      return { step, images, labels, indices, dispose };
    } catch (error) {
      labels.dispose();
      throw error;
    } finally {
      args.indices.dispose();
      args.offsets.dispose();
    }
  }
}

function check(set: ImageSet, { batchSize, augment, mean, std }: LoaderOptions, indices: Int32Array): void {
  const refuse = (problem: string) => {
    throw new RangeError(`Loader of ${set.name}: ${problem}`);
  };
  if (!Number.isInteger(batchSize) || batchSize < 1) refuse(`batchSize must be 1 or more, got ${batchSize}`);
  const wrong = indices.find((index) => index < 0 || index >= set.count);
  if (wrong !== undefined) refuse(`indices must be in 0..${set.count - 1}, got ${wrong}`);
  const crop = augment?.crop ?? 0;
  const most = Math.min(set.height, set.width) - 1;
  if (!Number.isInteger(crop) || crop < 0 || crop > most) refuse(`crop must be in 0..${most}, got ${crop}`);
  for (const [name, values] of [
    ["mean", mean],
    ["std", std],
  ] as const) {
    const fits =
      values.length === set.channels && values.every((v) => Number.isFinite(v) && (name === "mean" || v > 0));
    if (!fits)
      refuse(`${name} must be ${set.channels} numbers${name === "std" ? " above 0" : ""}, got [${values}]`);
  }
}
