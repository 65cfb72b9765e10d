import type { MakeOptions } from "../define.js";
import { type AnyDataset, isStored, type StoredImages } from "../image-set.js";
import { findTwice, type Twice } from "./find-twice.js";
import { type DamagedImage, inspectImages } from "./inspect-images.js";
import { isRemote } from "./remote.js";
import { textAt } from "./text-list.js";

/** What is in one part of a set. */
export interface PartReport {
  /** The images of the part. */
  readonly images: number;
  /** The images of each class, in the order of the classes. */
  readonly perClass: readonly number[];
  /** [width, height] in pixels of the images with the fewest, the median and the most pixels; undefined where none is whole. */
  readonly sizes: Readonly<Record<"smallest" | "median" | "largest", readonly [number, number]>> | undefined;
  readonly damaged: readonly Omit<DamagedImage, "index">[];
}

/** What is in a set of images in files. */
export interface CheckReport {
  readonly classNames: readonly string[];
  readonly train: PartReport;
  readonly test: PartReport;
  /** Test images that are in the training part too. */
  readonly twice: readonly Twice[];
  /** Files beside the images that were left out, and why; the first ten thousand. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  /** What was noticed when the set was listed, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Looks at every image of a set: decodes it, measures it, and looks for it in the other part.
 *
 * @throws TypeError when the images are not in files; the signal's reason when it is aborted
 */
export async function checkStored(dataset: AnyDataset, options: MakeOptions = {}): Promise<CheckReport> {
  const { train, test, classNames, notes = [], leftOut = [] } = dataset;
  if (!isStored(train) || !isStored(test))
    throw new TypeError(
      `the images of ${dataset.name} are no image files: \`npx lyceum data verify\` compares them`,
    );
  const remote = [train, test].some(({ places }) => isRemote(textAt(places.files, 0)));
  return {
    classNames,
    train: await reportOf(train, options),
    test: await reportOf(test, options),
    twice: remote ? [] : await findTwice(train, test, options),
    leftOut,
    notes: remote ? [...notes, "images on a web server are not looked for in both parts"] : notes,
  };
}

async function reportOf(set: StoredImages, options: MakeOptions): Promise<PartReport> {
  const { widths, heights, damaged } = await inspectImages(set, options);
  const perClass = set.classNames.map(() => 0);
  for (const label of set.labels) perClass[label]!++;
  const pixels = (i: number) => widths[i]! * heights[i]!;
  const whole = [...set.labels.keys()].filter((i) => pixels(i) > 0).sort((a, b) => pixels(a) - pixels(b));
  const sizeOf = (i: number) => [widths[i]!, heights[i]!] as const;
  return {
    images: set.count,
    perClass,
    sizes:
      whole.length === 0
        ? undefined
        : {
            smallest: sizeOf(whole[0]!),
            median: sizeOf(whole[whole.length >> 1]!),
            largest: sizeOf(whole.at(-1)!),
          },
    damaged: damaged.map(({ index: _, ...told }) => told),
  };
}
