/** Images in memory, as the bytes that were stored. */
export interface ImageSet {
  readonly name: string;
  /**
   * [count, channels, height, width], row by row; on a SharedArrayBuffer where Lyceum made it, so that
   * libtorch reads it in place.
   */
  readonly images: Uint8Array;
  /** [count], each 0 .. classNames.length - 1 */
  readonly labels: Int32Array;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
}

/** A data set with its training and its test part, of the same classes. */
export interface Dataset {
  readonly name: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly classNames: readonly string[];
  /**
   * The superclass of each class, [classNames.length], whole numbers from 0; left out where the set has none.
   */
  readonly superclasses?: Int32Array;
}

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
export function noImages(train: ImageSet): ImageSet {
  return { ...train, name: "no test images", images: new Uint8Array(0), labels: new Int32Array(0), count: 0 };
}

/** Copies the chosen images of a set, in the order of `indices`. */
export function subset(set: ImageSet, indices: Int32Array): ImageSet {
  const bytes = set.channels * set.height * set.width;
  const images = allocateImages(indices.length * bytes);
  const labels = new Int32Array(indices.length);
  indices.forEach((from, to) => {
    images.set(set.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
    labels[to] = set.labels[from]!;
  });
  return { ...set, images, labels, count: indices.length };
}
