/** An image that is a file, or lies in one such as an archive. */
export interface ImageInFile {
  path: string;
  /** Where it begins in the file, in bytes. Default 0. */
  offset?: number;
  /** Its length in bytes. Default: up to the file's end. */
  length?: number;
  /** What the size of the whole file must be, in bytes; any when left out. */
  size?: number;
  /** When the file must have been changed last, in milliseconds since 1970 (`mtimeMs` of Node's `stat`); any when left out. */
  time?: number;
}

/** Encoded images, in files and in memory, as the native decoder takes them. */
export interface EncodedImages {
  /** The paths of the files, each ended by a zero. */
  paths: Uint8Array;
  /**
   * [B, 5] row by row: where the image's path begins in `paths`, or -1 where it lies in `bytes`; offset and length in the
   * file or in `bytes`, where a length of -1 is all that follows; size in bytes and time of change in milliseconds that the
   * whole file must have, -1 for any.
   */
  places: BigInt64Array;
  bytes?: Uint8Array;
}

/** How many numbers stand in `places` for an image. */
export const placeNumbers = 5;

/** Lists images of files for the decoder. */
export function placesOf(images: readonly ImageInFile[]): EncodedImages {
  const texts = images.map(({ path }) => Buffer.from(`${path}\0`));
  const places = new BigInt64Array(placeNumbers * images.length);
  let start = 0;
  images.forEach(({ offset = 0, length = -1, size = -1, time = -1 }, i) => {
    const numbers = [start, offset, length, size, Math.floor(time)];
    places.set(
      numbers.map((value) => BigInt(value)),
      placeNumbers * i,
    );
    start += texts[i]!.length;
  });
  return { paths: new Uint8Array(Buffer.concat(texts)), places };
}

/** Lists images that lie in memory for the decoder. */
export function placesInMemory(images: readonly Uint8Array[]): EncodedImages {
  const bytes = new Uint8Array(images.reduce((sum, { length }) => sum + length, 0));
  const places = new BigInt64Array(placeNumbers * images.length);
  let start = 0;
  images.forEach((image, i) => {
    bytes.set(image, start);
    places.set([-1n, BigInt(start), BigInt(image.length), -1n, -1n], placeNumbers * i);
    start += image.length;
  });
  return { paths: new Uint8Array(0), places, bytes };
}

/** Where one of the images is: a file with offset and length, or its bytes. */
export function placeOf(
  { paths, places, bytes }: EncodedImages,
  index: number,
): { path: Buffer; offset: number; length: number } | { bytes: Uint8Array } {
  const [start, offset, length] = Array.from(
    places.subarray(placeNumbers * index, placeNumbers * index + 3),
    Number,
  ) as [number, number, number];
  if (start < 0) {
    const all = bytes ?? new Uint8Array(0);
    return { bytes: all.subarray(offset, length < 0 ? all.length : offset + length) };
  }
  const path = Buffer.from(paths.subarray(start, paths.indexOf(0, start)));
  return { path, offset, length };
}
