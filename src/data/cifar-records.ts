import { type ByteSource, readBytes } from "./byte-source.js";
import { DataError } from "./data-error.js";

/** The bytes of one image: 32 x 32 pixels, first all red, then all green, then all blue values, row by row. */
export const cifarImageBytes = 3 * 32 * 32;

/** The number of classes that each of the label bytes before an image distinguishes, in the record's order. */
export type LabelBytes = readonly number[];

/**
 * Reads records of CIFAR's binary layout: label bytes, then the image.
 *
 * @param labelBytes classes of each label byte, [10] for CIFAR-10, [20, 100] for CIFAR-100
 * @param into.images room for the images; into.labels: for each label byte, room for its labels
 * @throws DataError, naming the byte, when the size or any label is wrong
 */
export async function readCifarRecords(
  source: ByteSource,
  labelBytes: LabelBytes,
  into: { images: Uint8Array; labels: readonly Int32Array[] },
): Promise<void> {
  const recordBytes = labelBytes.length + cifarImageBytes;
  const bytes = (into.images.length / cifarImageBytes) * recordBytes;
  await readBytes(source, bytes, (chunk, offset) => {
    for (let at = 0; at < chunk.length; ) {
      const record = Math.floor((offset + at) / recordBytes);
      const within = offset + at - record * recordBytes;
      if (within < labelBytes.length) {
        const label = chunk[at]!;
        if (label >= labelBytes[within]!) {
          const problem = `label ${label} of image ${record}, expected 0..${labelBytes[within]! - 1}`;
          throw new DataError({ file: source.file, offset: offset + at }, problem, source.remedy);
        }
        into.labels[within]![record] = label;
        at++;
        continue;
      }
      const part = chunk.subarray(at, at + recordBytes - within);
      into.images.set(part, record * cifarImageBytes + within - labelBytes.length);
      at += part.length;
    }
  });
}
