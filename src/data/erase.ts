/**
 * Draws random erasing: a rectangle of an image is overwritten (Zhong et al., Random Erasing Data Augmentation, AAAI
 * 2020). What is drawn for an image depends on (seed, epoch, index) alone.
 */
import { drawsOf, RandomSequence } from "./random.js";

export interface EraseOptions {
  /** The fraction of the images of which a rectangle is erased, 0 to 1. */
  probability: number;
  /** The smallest and the largest area of the rectangle, as fractions of the image's; all between are equally likely. */
  area: readonly [number, number];
  /** The smallest and the largest height over width; their logarithms are equally likely, so that no direction is. */
  aspect: readonly [number, number];
  /** What the rectangle becomes: zero, the mean of the normalised training images, or a random byte for each value. */
  fill: "zero" | "noise";
}

/** How often a rectangle is drawn anew that is as high or wide as the image; after that, the image stays as it is. */
const attempts = 10;

/**
 * Draws the rectangles to erase from each image of a batch.
 *
 * @param indices the images' places in their set, [B]
 * @param image height and width of the images, in pixels
 * @returns [B, 5]: top, left, height, width, of which the last two are 0 where nothing is erased, and the noise's seed
 */
export function drawErasures(
  indices: Int32Array,
  { probability, area, aspect }: EraseOptions,
  { height, width }: { height: number; width: number },
  seed: number,
  epoch: number,
): Int32Array {
  const erasures = new Int32Array(5 * indices.length);
  indices.forEach((index, b) => {
    const random = new RandomSequence(seed, epoch, index, drawsOf.erasing);
    if (random.uniform() >= probability) return;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const pixels = height * width * random.uniform(...area);
      const ratio = Math.exp(random.uniform(Math.log(aspect[0]), Math.log(aspect[1])));
      const tall = Math.round(Math.sqrt(pixels * ratio));
      const wide = Math.round(Math.sqrt(pixels / ratio));
      if (tall >= height || wide >= width) continue;
      const top = random.below(height - tall + 1);
      const left = random.below(width - wide + 1);
      erasures.set([top, left, tall, wide, random.uint32()], 5 * b);
      return;
    }
  });
  return erasures;
}

/** Says what is wrong with options, naming the key; undefined where nothing is. */
export function erasingProblem({ probability, area, aspect, fill }: EraseOptions): string | undefined {
  if (!(probability >= 0 && probability <= 1))
    return `erase.probability must be a number from 0 to 1, got ${probability}`;
  if (!(area[0] >= 0 && area[0] <= area[1] && area[1] <= 1))
    return `erase.area must be two numbers from 0 to 1, the smaller first, got ${area.join(", ")}`;
  if (!(aspect[0] > 0 && aspect[0] <= aspect[1] && aspect[1] < Number.POSITIVE_INFINITY))
    return `erase.aspect must be two numbers above 0, the smaller first, got ${aspect.join(", ")}`;
  if (fill !== "zero" && fill !== "noise") return `erase.fill must be zero or noise, got ${fill}`;
  return undefined;
}
