import { createHash } from "node:crypto";
import { type ImageSet, isStored, type StoredImages } from "./image-set.js";
import { checksumOfStored } from "./stored/places.js";

/** Computes the SHA-256 of a set's sizes, labels and pixels, or of the paths and sizes of its files, in hexadecimal. */
export function checksumOf(set: ImageSet | StoredImages): string {
  if (isStored(set)) return checksumOfStored(set);
  const { images, labels, count, channels, height, width } = set;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([count, channels, height, width]));
  hash.update(images);
  hash.update(Int32Array.from(labels));
  return hash.digest("hex");
}
