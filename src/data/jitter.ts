/**
 * Draws colour jitter: brightness, contrast, saturation and hue of an image change at random, in random order, as
 * torchvision's `ColorJitter` changes images of PIL. What is drawn for an image depends on (seed, epoch, index) alone.
 */
import { type DrawnOperations, tableOf } from "./policies/index.js";
import type { DrawnOperation, ImageOperation } from "./policies/operations.js";
import { drawsOf, RandomSequence } from "./random.js";

export interface JitterOptions {
  /** Brightness is multiplied by a factor of 1 - this, at least 0, to 1 + this. Default 0: it stays. */
  brightness?: number | undefined;
  /** The same of the distance to the image's mean grey. */
  contrast?: number | undefined;
  /** The same of the distance of each pixel to its grey; nothing for grey images. */
  saturation?: number | undefined;
  /** The hue is turned by up to this fraction of a circle, up to 0.5, in either direction; nothing for grey images. */
  hue?: number | undefined;
}

const factors = { brightness: "brightness", contrast: "contrast", saturation: "color" } as const;

/** What may be drawn of an operation: all magnitudes between two are equally likely. */
interface Range {
  operation: ImageOperation;
  low: number;
  high: number;
}

function rangesOf(options: JitterOptions): Range[] {
  const ranges = Object.entries(factors).map(([key, operation]): Range => {
    const most = options[key as keyof typeof factors] ?? 0;
    // Magnitudes are factors less 1.
    return { operation, low: Math.max(-1, -most), high: most };
  });
  const { hue = 0 } = options;
  return [...ranges, { operation: "hue", low: -hue, high: hue } as const].filter(({ high }) => high > 0);
}

/**
 * Draws how the images of a batch change.
 *
 * @param indices the images' places in their set, [B]
 * @returns the operations for `lyceum::augment`, as many for an image as the options ask for
 */
export function drawJitter(
  indices: Int32Array,
  options: JitterOptions,
  seed: number,
  epoch: number,
): DrawnOperations {
  const ranges = rangesOf(options);
  return tableOf(
    Array.from(indices, (index) => {
      const random = new RandomSequence(seed, epoch, index, drawsOf.jitter);
      const drawn = ranges.map(
        ({ operation, low, high }): DrawnOperation => ({ operation, magnitude: random.uniform(low, high) }),
      );
      for (let i = drawn.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [drawn[i], drawn[j]] = [drawn[j]!, drawn[i]!];
      }
      return drawn;
    }),
  );
}

/** Puts the operations of a batch one after the other: for each image first those of `first`, then those of `then`. */
export function inTurn(first: DrawnOperations, then: DrawnOperations): DrawnOperations {
  const count = first.count + then.count;
  const images = first.count > 0 ? first.operations.length / first.count : 0;
  if (images === 0) return then;
  if (then.count === 0) return first;
  const operations = new Int32Array(images * count);
  const magnitudes = new Float64Array(images * count);
  for (let b = 0; b < images; b++) {
    for (const [part, at] of [
      [first, b * count],
      [then, b * count + first.count],
    ] as const) {
      const own = [b * part.count, (b + 1) * part.count] as const;
      operations.set(part.operations.subarray(...own), at);
      magnitudes.set(part.magnitudes.subarray(...own), at);
    }
  }
  return { operations, magnitudes, count };
}

/** Says what is wrong with options, naming the key; undefined where nothing is. */
export function jitterProblem(options: JitterOptions): string | undefined {
  for (const key of ["brightness", "contrast", "saturation", "hue"] as const) {
    const most = key === "hue" ? 0.5 : 100;
    const { [key]: value = 0 } = options;
    if (!(value >= 0 && value <= most))
      return `jitter.${key} must be a number from 0 to ${most}, got ${value}`;
  }
  return undefined;
}
