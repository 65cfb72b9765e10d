import { type ImagePlaces, selectPlaces } from "./stored/places.js";

/** What is known of a set's images, wherever they are. */
export interface ImageList {
  readonly name: string;
  /** [count], each 0 .. classNames.length - 1 */
  readonly labels: Int32Array;
  readonly count: number;
  readonly channels: number;
  /** Pixels of an image as a network sees it. */
  readonly height: number;
  /** Pixels of an image as a network sees it. */
  readonly width: number;
  readonly classNames: readonly string[];
}

/** Images in memory, as the bytes that were stored. */
export interface ImageSet extends ImageList {
  /**
   * [count, channels, height, width], row by row; on a SharedArrayBuffer where Lyceum made it, so that
   * libtorch reads it in place.
   */
  readonly images: Uint8Array;
}

/** Images of any size in files, encoded, which are decoded when they are needed. */
export interface StoredImages extends ImageList {
  readonly places: ImagePlaces;
  /** The checksum of the places that the images had before they were put into a cache. */
  readonly checksum?: string;
  /** Pixels of an image's shorter side, before its middle is cut out for evaluation. */
  readonly resize: number;
}

/** Tells whether a set's images lie in files. */
export function isStored(set: ImageSet | StoredImages): set is StoredImages {
  return "places" in set;
}

/** A data set with its training and its test part, of the same classes. */
export interface Dataset<Images extends ImageSet | StoredImages = ImageSet> {
  readonly name: string;
  readonly train: Images;
  readonly test: Images;
  readonly classNames: readonly string[];
  /**
   * The mean and standard deviation by which each channel is normalised, as fractions of 255. Left out, they are those of the
   * training images.
   */
  readonly normalisation?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Files beside the images that were left out, and why; the first ten thousand. */
  readonly leftOut?: readonly { readonly path: string; readonly why: string }[];
  /** What a user should know of how the set was put together, a sentence each. */
  readonly notes?: readonly string[];
  /**
   * The superclass of each class, [classNames.length], whole numbers from 0; left out where the set has none.
   */
  readonly superclasses?: Int32Array;
}

/** A data set, wherever its images are. */
export type AnyDataset = Dataset<ImageSet | StoredImages>;

/**
 * Room for images that libtorch can read without a copy.
 *
 * @throws RangeError when there is not so much memory
 */
export function allocateImages(bytes: number): Uint8Array {
  try {
    return new Uint8Array(new SharedArrayBuffer(bytes));
  } catch (cause) {
    throw new RangeError(`${bytes} bytes of images are more than this process can hold: load fewer of them`, {
      cause,
    });
  }
}

/** Gives a test part without images, of the same kind as a training part: that of a set whose test images were not read. */
export function noImages<S extends ImageSet | StoredImages>(train: S): S {
  return { ...subset(train, new Int32Array(0)), name: "no test images" };
}

/** Picks images of a set, in the order of `indices`; bytes in memory are copied. */
export function subset<S extends ImageSet | StoredImages>(set: S, indices: Int32Array): S {
  const labels = indices.map((i) => set.labels[i]!);
  const picked = isStored(set)
    ? { places: selectPlaces(set.places, indices) }
    : { images: subsetOfBytes(set, indices) };
  return { ...set, ...picked, labels, count: indices.length };
}

function subsetOfBytes(set: ImageSet, indices: Int32Array): Uint8Array {
  const bytes = set.channels * set.height * set.width;
  const images = allocateImages(indices.length * bytes);
  indices.forEach((from, to) => {
    images.set(set.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
  });
  return images;
}
