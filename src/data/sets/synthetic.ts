/**
 * A drawn data set for tests and trials without files: shapes in families, so that some classes are much more
 * alike than others.
 */
import { setImmediate as turn } from "node:timers/promises";
import { defineDataset, type MakeOptions } from "../define.js";
import { allocateImages, type Dataset, type ImageSet } from "../image-set.js";
import { sizeMeaning } from "../stored/options.js";
import { type FamilyLabels, familyLabels } from "./family-labels.js";
import { className, drawImage, familyName, familySize } from "./synthetic-image.js";

export interface SyntheticOptions {
  /** 2 .. 1000; default 10. Five classes make a family. */
  classes?: number;
  /** Height and width in pixels, 8 .. 256; default 32. */
  size?: number;
  /** 1 grey, 3 colour; default 3. */
  channels?: 1 | 3;
  /** Training images; default 4,000, or 50 a class when that is more. */
  trainCount?: number;
  /** Test images; default 1,000, or 20 a class when that is more. */
  testCount?: number;
  /** Standard deviation of the noise on each value, as a fraction of 255; default 0.15. */
  noise?: number;
  /** Default 0. */
  seed?: number;
  /** "coarse" labels the images by family. Default "fine". */
  labels?: FamilyLabels;
}

/** Draws a set and pauses after each image, where it says how many are done. */
function* drawing(options: SyntheticOptions): Generator<{ done: number; total: number }, Dataset, void> {
  const { classes = 10, size = 32, channels = 3, noise = 0.15, seed = 0, labels = "fine" } = options;
  const { trainCount = Math.max(4000, 50 * classes), testCount = Math.max(1000, 20 * classes) } = options;
  check("classes", classes, 2, 1000);
  check("size", size, 8, 256);
  check("trainCount", trainCount, 1, 1e7);
  check("testCount", testCount, 1, 1e7);
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`synthetic: channels must be 1 or 3, got ${channels}`);
  if (!(noise >= 0 && noise <= 1))
    throw new RangeError(`synthetic: noise must be between 0 and 1, got ${noise}`);
  const coarse = labels === "coarse";
  const classNames = Array.from({ length: countClasses({ classes, labels }) }, (_, label) =>
    coarse ? familyName(label) : className(label),
  );
  const shape = { channels, height: size, width: size };
  const pixels = channels * size * size;
  const empty = (name: string, count: number): ImageSet => ({
    ...{ name: `synthetic ${name}`, count, classNames, ...shape },
    images: allocateImages(count * pixels),
    labels: new Int32Array(count),
  });
  const [train, test] = [empty("train", trainCount), empty("test", testCount)];
  const total = trainCount + testCount;
  let done = 0;
  for (const [key, part] of [train, test].entries()) {
    for (let i = 0; i < part.count; i++) {
      const fine = i % classes;
      const into = part.images.subarray(i * pixels, (i + 1) * pixels);
      drawImage(into, fine, { size, channels, noise }, [seed, key, i]);
      part.labels[i] = coarse ? Math.floor(fine / familySize) : fine;
      done++;
      yield { done, total };
    }
  }
  const superclasses = Int32Array.from({ length: classes }, (_, fine) => Math.floor(fine / familySize));
  return { name: "synthetic", train, test, classNames, ...(!coarse && { superclasses }) };
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`synthetic: ${name} must be an integer in ${least}..${most}, got ${value}`);
}

function countClasses({ classes = 10, labels }: Pick<SyntheticOptions, "classes" | "labels">): number {
  return labels === "coarse" ? Math.ceil(classes / familySize) : classes;
}

/**
 * Draws a data set. Class `c` is variation c mod 5 of family floor(c / 5); image `i` is of class i mod
 * classes. Position, angle, size, colours and noise are decided by (seed, part, i) alone, so a longer set
 * begins with a shorter one.
 *
 * @throws RangeError when an option is out of range
 */
export function makeSynthetic(options: SyntheticOptions = {}): Dataset {
  const steps = drawing(options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** How long the event loop waits for its turn while a set is drawn, in milliseconds. */
const longestWait = 25;

/**
 * As {@link makeSynthetic}, but lets the event loop turn while it draws, so that signals and timers are heard.
 *
 * @throws RangeError when an option is out of range; the signal's reason when it is aborted
 */
export async function drawSynthetic(
  options: SyntheticOptions,
  { signal, onProgress }: MakeOptions = {},
): Promise<Dataset> {
  signal?.throwIfAborted();
  const steps = drawing(options);
  let last = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - last < longestWait) continue;
    onProgress?.(step.value);
    await turn();
    signal?.throwIfAborted();
    last = performance.now();
  }
}

export const synthetic = defineDataset({
  name: "synthetic",
  summary: "drawn shapes in similar families, any number of classes and size; needs no files",
  options: (z) => {
    const own = <T extends Parameters<typeof z.exactOptional>[0]>(value: T, description: string) =>
      z.exactOptional(value).describe(`Of the synthetic set: ${description}`);
    const count = z.int().min(1);
    return {
      ...familyLabels(z),
      classes: own(z.int().min(2).max(1000), "how many classes, in families of 5. Default: 10."),
      size: z.exactOptional(z.int().min(8).max(256)).describe(sizeMeaning),
      channels: own(z.union([z.literal(1), z.literal(3)]), "1 for grey, 3 for colour. Default: 3."),
      trainCount: own(count, "training images. Default: 4000, or 50 a class when that is more."),
      testCount: own(count, "test images. Default: 1000, or 20 a class when that is more."),
      noise: own(
        z.number().min(0).max(1),
        "standard deviation of the noise on each value, of 1. Default: 0.15.",
      ),
    };
  },
  classCount: (spec) => countClasses(spec as SyntheticOptions),
  // The shapes themselves read the same mirrored, but beyond 24 families, or 120 classes, the direction of the stripes
  // alone tells some families apart, and a family's mirrored stripes can lie as another's do (families 5 and 29).
  augment: { crop: true, flip: false },
  from: { make: (spec, options) => drawSynthetic(spec as SyntheticOptions, options) },
});
