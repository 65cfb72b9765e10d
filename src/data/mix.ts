/**
 * Mixes the images of a batch with each other, by Mixup or CutMix. What is drawn for a batch depends on (seed, epoch,
 * step) alone.
 */
import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { drawBeta } from "./beta.js";
import { foreign, type PlannedBatch, type Span } from "./epoch-plan.js";
import { drawsOf, RandomSequence, shuffled } from "./random.js";

export interface MixOptions {
  /** The share of an image in its mixture is drawn from Beta(alpha, alpha), once for each batch; above 0. */
  alpha: number;
  /** The fraction of the batches that are mixed in this way, 0 to 1. */
  probability: number;
}

/** Ways of mixing; each batch is mixed in one of them at most. */
export interface MixingOptions {
  /** Adds a partner to each image, pixel by pixel (Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018). */
  mixup?: MixOptions;
  /** Pastes a rectangle of a partner into each image (Yun et al., CutMix, ICCV 2019). */
  cutmix?: MixOptions;
}

/**
 * What a mixed batch has beside its images and labels. An image is mixed from one with the batch's label and one with the
 * other label.
 */
export interface Mix {
  /** int64 [B] */
  readonly otherLabels: Tensor;
  /** The weight of the batch's labels, a number from 0 to 1; the other labels weigh the rest. float32 [] */
  readonly weight: Tensor;
}

/** A rectangle of pixels. */
export interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

export interface DrawnMix {
  /** The weight of the images themselves and of their labels, 0 to 1, rounded to float32; that of partners is the rest. */
  weight: number;
  /** The place in the batch of each image's partner, a permutation of 0 .. B - 1. */
  partners: Int32Array;
  /** The rectangle that comes from the partners; where it is missing, all pixels are averages. */
  box?: Box;
}

/** Tells whether batches of these options carry a {@link Mix}. */
export function mixes({ mixup, cutmix }: MixingOptions): boolean {
  return (mixup ?? cutmix) !== undefined;
}

/** Says what is wrong with options, naming the key; undefined where nothing is. */
export function mixingProblem(options: MixingOptions): string | undefined {
  for (const way of ["mixup", "cutmix"] as const) {
    const { alpha = 1, probability = 0 } = options[way] ?? {};
    if (!(alpha > 0 && Number.isFinite(alpha))) return `${way}.alpha must be a number above 0, got ${alpha}`;
    if (!(probability >= 0 && probability <= 1))
      return `${way}.probability must be a number from 0 to 1, got ${probability}`;
  }
  const both = (options.mixup?.probability ?? 0) + (options.cutmix?.probability ?? 0);
  if (both <= 1) return undefined;
  return `mixup.probability and cutmix.probability must sum to 1 at most, since a batch is mixed once, got ${both}`;
}

/**
 * Draws how a batch is mixed: whether, by which of the ways, with which partners and weight. A batch that stays as it is
 * has weight 1, and every image is its own partner.
 *
 * CutMix's weight is the share of pixels that the rectangle leaves, also where the image's edge cuts the rectangle.
 *
 * @param size the number of images in the batch
 * @param image height and width of the images, in pixels
 */
export function drawMix(
  size: number,
  { mixup, cutmix }: MixingOptions,
  { height, width }: { height: number; width: number },
  seed: number,
  epoch: number,
  step: number,
): DrawnMix {
  const random = new RandomSequence(seed, epoch, step, drawsOf.mixing);
  const order = Int32Array.from({ length: size }, (_, place) => place);
  const kind = random.uniform();
  const fromCutmix = mixup?.probability ?? 0;
  if (mixup && kind < fromCutmix) {
    const weight = Math.fround(drawBeta(random, mixup.alpha));
    return { weight, partners: shuffled(order, seed, epoch, step, drawsOf.partners) };
  }
  if (cutmix && kind < fromCutmix + cutmix.probability) {
    const box = drawBox(random, drawBeta(random, cutmix.alpha), height, width);
    const weight = Math.fround(1 - (box.height * box.width) / (height * width));
    return { weight, box, partners: shuffled(order, seed, epoch, step, drawsOf.partners) };
  }
  return { weight: 1, partners: order };
}

/**
 * Draws a rectangle of the image's aspect that has the share `1 - kept` of its area, around a centre that is any pixel, and
 * cuts off what lies outside of the image (Yun et al., appendix A).
 */
function drawBox(random: RandomSequence, kept: number, height: number, width: number): Box {
  const side = Math.sqrt(1 - kept);
  const along = (length: number) => {
    const centre = random.below(length);
    const long = Math.floor(length * side);
    const begin = Math.max(0, centre - Math.floor(long / 2));
    return [begin, Math.min(length, centre - Math.floor(long / 2) + long) - begin] as const;
  };
  const [top, tall] = along(height);
  const [left, wide] = along(width);
  return { top, left, height: tall, width: wide };
}

/** What the batches of one epoch need to be mixed; a batch goes from image `start` to before image `end` of the epoch. */
export interface EpochMixerOptions extends MixingOptions {
  batches: readonly Span[];
  image: { height: number; width: number };
  seed: number;
  epoch: number;
}

/** Draws how the batches of one epoch are mixed. */
export function drawEpoch({ batches, image, seed, epoch, ...options }: EpochMixerOptions): DrawnMix[] {
  return batches.map(({ start, end }, step) => drawMix(end - start, options, image, seed, epoch, step));
}

/**
 * Mixes the batches of one epoch. All that is drawn for it is brought to the device at once, so that no batch has anything
 * to copy and to wait for.
 */
export class EpochMixer implements Disposable {
  readonly #drawn: readonly DrawnMix[];
  readonly #batches: readonly PlannedBatch[];
  /** Where in `#partners` those of each batch begin. */
  readonly #starts: readonly number[];
  /** The partners of all images of the epoch, each a place among the images that are loaded for its batch, int64. */
  readonly #partners: Tensor;
  /** The weights of all batches, float32. */
  readonly #weights: Tensor;

  constructor(drawn: readonly DrawnMix[], batches: readonly PlannedBatch[], device: Device) {
    this.#drawn = drawn;
    this.#batches = batches;
    const partners = batches.map((batch, step) => partnersAmongLoaded(drawn[step]!.partners, batch));
    let images = 0;
    this.#starts = partners.map(({ length }) => {
      images += length;
      return images - length;
    });
    const all = new Int32Array(images);
    partners.forEach((places, step) => {
      all.set(places, this.#starts[step]!);
    });
    this.#partners = torch.keep(torch.tensor(all, { dtype: "int64", device }));
    const weights = Float32Array.from(drawn, ({ weight }) => weight);
    this.#weights = torch.keep(torch.tensor(weights, { device }));
  }

  /**
   * Mixes a batch in place.
   *
   * @param images float32 [B, C, H, W], channels-last; where some are only partners of the others, these stay as they are
   * @param labels int64 [B]
   */
  mix(step: number, { images, labels }: { images: Tensor; labels: Tensor }): Mix {
    return torch.scope(() => {
      const { weight, box } = this.#drawn[step]!;
      const { count } = this.#batches[step]!;
      const partners = this.#partners.narrow(0, this.#starts[step]!, count);
      const pixels = images.permute([0, 2, 3, 1]);
      if (box) {
        const region = pixels.narrow(1, box.top, box.height).narrow(2, box.left, box.width);
        region.narrow(0, 0, count).copy_(region.indexSelect(0, partners));
      } else if (weight !== 1) {
        const others = pixels.indexSelect(0, partners);
        pixels
          .narrow(0, 0, count)
          .mul_(weight)
          .add_(others.mul_(1 - weight));
      }
      return {
        otherLabels: torch.keep(labels.indexSelect(0, partners)),
        weight: torch.keep(this.#weights.select(0, step)),
      };
    });
  }

  [Symbol.dispose](): void {
    this.#partners.dispose();
    this.#weights.dispose();
  }
}

/** Where the partners of a batch's images, which are places in the batch of all processes, stand among the loaded images. */
function partnersAmongLoaded(partners: Int32Array, { count, part }: PlannedBatch): Int32Array {
  if (!part) return partners;
  const end = part.start + count;
  const others = new Map(foreign(partners, part.start, end).map((place, i) => [place, count + i]));
  return partners.slice(part.start, end).map((place) => others.get(place) ?? place - part.start);
}
