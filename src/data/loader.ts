import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { type AugmentOptions, isForAnyDevice } from "./augment.js";
import type { BatchPart, Ranks } from "./batch-part.js";
import type { BatchSource, EpochBatches } from "./batches.js";
import { type EpochPlan, type PlannedBatch, planForOne, planForRank, type Span } from "./epoch-plan.js";
import { erasingProblem } from "./erase.js";
import { HostBatches } from "./host-batches.js";
import { type ImageSet, isStored, type StoredImages } from "./image-set.js";
import { jitterProblem } from "./jitter.js";
import { drawEpoch, EpochMixer, type Mix, mixes, mixingProblem } from "./mix.js";
import { shuffled } from "./random.js";
import { ResidentBatches } from "./resident-batches.js";
import { type BatchPlan, planSteps } from "./steps.js";
import { StoredBatches } from "./stored/stored-batches.js";

/** Some images, ready for a network. Whoever receives the batch disposes of it. */
export interface Batch {
  /** The batch's position in the epoch, from 0. */
  readonly step: number;
  /** float32 [B, C, H, W], channels-last, normalised */
  readonly images: Tensor;
  /** int64 [B] */
  readonly labels: Tensor;
  /** [B], which images of the set these are */
  readonly indices: Int32Array;
  /** The other labels of images that are mixed; there is none in any batch of a loader that does not mix. */
  readonly mix?: Mix;
  /** The place of the images in the batch of all processes; undefined where there is one process. */
  readonly part?: BatchPart;
  dispose(): void;
}

export interface LoaderOptions extends BatchPlan {
  /** The images to go through; all of the set when left out. */
  indices?: Int32Array | undefined;
  /** Decides the order and the augmentation. Default 0. */
  seed?: number | undefined;
  /** Whether each epoch has a new order; otherwise it is that of `indices`. Default false. */
  shuffle?: boolean | undefined;
  /** The random changes to the images; none when left out. */
  augment?: AugmentOptions | undefined;
  /** The mean of each channel, a fraction of 255, which {@link channelStatistics} gives. */
  mean: readonly number[];
  /** The standard deviation of each channel, a fraction of 255. */
  std: readonly number[];
  /** Where the batches are to be. Default "cpu". */
  device?: Device | undefined;
  /**
   * Whether the whole set is copied to the device and its batches are made there; otherwise they are made on the CPU
   * in the background and sent over one by one, as they must be with `augment.policy` and `augment.erase`. Default:
   * true for a device other than the CPU that has room for the set, where that is possible.
   */
  resident?: boolean | undefined;
  /**
   * Where several processes train together: which of them this is. The loader then gives its part of each batch; which images
   * a batch has, and what is drawn for them, is the same for any number of processes. Default: there is one process.
   */
  ranks?: Ranks | undefined;
  /**
   * The fewest images of a process's part; a batch with fewer for each process is given to all of them as a whole. Default: 2,
   * since batch norm cannot train on one.
   */
  fewestPerRank?: number | undefined;
}

/** Which batches of an epoch are given. */
export interface EpochRange {
  /** The first batch to give, to go on in the middle of an epoch. Default: 0. */
  startStep?: number | undefined;
  /** How many steps pass from one batch that is given to the next. Default: 1. */
  every?: number | undefined;
}

const noAugmentation: AugmentOptions = { crop: 0, flip: false };

/**
 * Goes through a set in batches. An epoch is a pure function of (seed, epoch number): neither threads nor what was
 * read before change its order or what is drawn for its images. The next batch is prefetched: made on another thread
 * while one is used.
 */
export class Loader {
  /** The number of images in an epoch. */
  readonly size: number;
  /** The number of batches in an epoch. */
  readonly stepsPerEpoch: number;
  readonly #indices: Int32Array;
  readonly #options: LoaderOptions;
  readonly #set: ImageSet | StoredImages;
  readonly #source: BatchSource;

  /** @throws RangeError when the batch size, an index, the crop or the normalisation is out of range */
  constructor(set: ImageSet | StoredImages, options: LoaderOptions) {
    const { indices = Int32Array.from({ length: set.count }, (_, i) => i) } = options;
    check(set, options, indices);
    this.#indices = indices;
    this.#options = options;
    this.#set = set;
    const { size, steps } = planSteps(indices.length, options);
    this.size = size;
    this.stepsPerEpoch = steps;
    const { device = "cpu", seed = 0, augment = noAugmentation, mean, std } = options;
    const batches = { augment, seed, mean, std, device };
    if (isStored(set)) {
      this.#source = new StoredBatches(set, batches);
      return;
    }
    const { resident = isForAnyDevice(augment) && hasRoom(device, set) } = options;
    this.#source = new (resident ? ResidentBatches : HostBatches)(set, batches);
  }

  /** The images that an epoch goes through, in order. */
  order(epoch: number): Int32Array {
    const { shuffle = false, seed = 0 } = this.#options;
    const order = shuffle ? shuffled(this.#indices, seed, epoch) : this.#indices;
    return order.subarray(0, this.size);
  }

  /**
   * The batches of an epoch. The last one may be smaller, or with `joinLoneLast` larger by one image.
   *
   * @param epoch any integer; it decides the order and what is drawn for the images
   * @throws RangeError when `startStep` is out of range
   */
  async *epoch(
    epoch: number,
    { startStep = 0, every = 1 }: EpochRange = {},
  ): AsyncGenerator<Batch, void, undefined> {
    if (!Number.isInteger(startStep) || startStep < 0 || startStep > this.stepsPerEpoch) {
      throw new RangeError(
        `Loader: startStep must be an integer in 0..${this.stepsPerEpoch}, got ${startStep}`,
      );
    }
    const { plan, mixer } = this.#prepare(epoch);
    const wanted = plan.batches.filter(({ step }) => step >= startStep && (step - startStep) % every === 0);
    const batches = this.#source.epoch(plan.order, epoch, wanted);
    const make = (i: number) => this.#make(batches, mixer, plan, wanted[i]);
    let next = make(0);
    try {
      for (let i = 0; i < wanted.length; i++) {
        const batch = await next;
        next = make(i + 1);
        yield batch!;
      }
    } finally {
      // A caller that stops early leaves one batch in the making.
      (await next.catch(() => undefined))?.dispose();
      batches.dispose();
      mixer?.[Symbol.dispose]();
    }
  }

  /** Frees the loader's images. Batches already made stay. */
  dispose(): void {
    this.#source.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Plans what is loaded for an epoch, and draws how its batches are mixed, where they are. */
  #prepare(epoch: number): { plan: EpochPlan; mixer: EpochMixer | undefined } {
    const { augment = noAugmentation, seed = 0, device = "cpu", ranks, fewestPerRank = 2 } = this.#options;
    const order = this.order(epoch);
    const spans = Array.from({ length: this.stepsPerEpoch }, (_, step) => this.#span(step));
    const { height, width } = this.#set;
    const drawn = mixes(augment)
      ? drawEpoch({ ...augment, batches: spans, image: { height, width }, seed, epoch })
      : undefined;
    const partnersOf = drawn && ((step: number) => drawn[step]!.partners);
    const plan = ranks
      ? planForRank(order, spans, { ranks, fewest: fewestPerRank, partnersOf })
      : planForOne(order, spans);
    return { plan, mixer: drawn && new EpochMixer(drawn, plan.batches, device) };
  }

  /** The number of images of a batch, that of all processes where there are several. */
  batchLength(step: number): number {
    const { start, end } = this.#span(step);
    return end - start;
  }

  /** The places in the epoch's order of a batch's first image and of the one after its last. */
  #span(step: number): Span {
    const { batchSize } = this.#options;
    const start = step * batchSize;
    return { start, end: step === this.stepsPerEpoch - 1 ? this.size : start + batchSize };
  }

  #make(
    batches: EpochBatches,
    mixer: EpochMixer | undefined,
    { order }: EpochPlan,
    planned: PlannedBatch | undefined,
  ): Promise<Batch | undefined> {
    const made = planned ? makeBatch(batches, mixer, order, planned) : Promise.resolve(undefined);
    // A failure is thrown where the batch is awaited, not while the one before it is still in use.
    made.catch(() => {});
    return made;
  }
}

async function makeBatch(
  batches: EpochBatches,
  mixer: EpochMixer | undefined,
  order: Int32Array,
  { step, start, end, count, part }: PlannedBatch,
): Promise<Batch> {
  const loaded = await batches.make(start, end);
  let { images, labels } = loaded;
  let mix: Mix | undefined;
  const dispose = () => {
    for (const tensor of [images, labels, mix?.otherLabels, mix?.weight]) tensor?.dispose();
  };
  try {
    mix = mixer?.mix(step, loaded);
    if (count < end - start) {
      images = torch.keep(loaded.images.narrow(0, 0, count));
      labels = torch.keep(loaded.labels.narrow(0, 0, count));
      loaded.images.dispose();
      loaded.labels.dispose();
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const indices = order.slice(start, start + count);
  return { step, images, labels, ...(mix && { mix }), ...(part && { part }), indices, dispose };
}

/** Whether the set takes at most half of the device's free memory: the network needs room too. */
function hasRoom(device: Device, { images }: ImageSet): boolean {
  return device !== "cpu" && images.byteLength <= torch.freeMemory(device) / 2;
}

function check(
  set: ImageSet | StoredImages,
  { batchSize, augment, mean, std, resident }: LoaderOptions,
  indices: Int32Array,
): void {
  const refuse = (problem: string) => {
    throw new RangeError(`Loader of ${set.name}: ${problem}`);
  };
  if (!Number.isInteger(batchSize) || batchSize < 1) refuse(`batchSize must be 1 or more, got ${batchSize}`);
  const wrong = indices.find((index) => index < 0 || index >= set.count);
  if (wrong !== undefined) refuse(`indices must be in 0..${set.count - 1}, got ${wrong}`);
  const crop = augment?.crop ?? 0;
  const most = Math.min(set.height, set.width) - 1;
  if (!Number.isInteger(crop) || crop < 0 || crop > most) refuse(`crop must be in 0..${most}, got ${crop}`);
  const { erase, ...mixing } = augment ?? {};
  const problem =
    mixingProblem(mixing) ??
    (erase && erasingProblem(erase)) ??
    (augment?.jitter && jitterProblem(augment.jitter));
  if (problem) refuse(problem);
  if (resident && augment && !isForAnyDevice(augment))
    refuse("jitter, a policy and erasing are for batches that are made on the CPU, leave `resident` out");
  if (augment?.resizedCrop && !isStored(set))
    refuse("resizedCrop is for images in files, whose sizes differ; leave augment.resizedCrop out");
  if (isStored(set) && resident) refuse("images in files cannot be resident, leave `resident` out");
  for (const key of ["policy", "jitter"] as const)
    if (augment?.[key] && set.channels !== 1 && set.channels !== 3)
      refuse(
        `a ${key} changes images of 1 or 3 channels, these have ${set.channels}; leave augment.${key} out`,
      );
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
