import { type ImageSet, isStored, type StoredImages } from "./image-set.js";
import { decodeStored } from "./stored/decode-stored.js";

/**
 * Gives the bytes of one image as a network sees it in evaluation, before it is normalised.
 *
 * @returns [channels, height, width], row by row
 * @throws DataError when the image lies in a file and cannot be read
 */
export async function bytesOf(set: ImageSet | StoredImages, i: number): Promise<Uint8Array> {
  const bytes = set.channels * set.height * set.width;
  if (!isStored(set)) return set.images.subarray(i * bytes, (i + 1) * bytes);
  using image = await decodeStored(set, Int32Array.of(i));
  return image.toTypedArray() as Uint8Array;
}
