import { createHash } from "node:crypto";
import { isAbsolute, join } from "node:path";
import type { StoredImages } from "../image-set.js";
import { isRemote } from "./remote.js";
import { bytesAt, type TextList, textAt } from "./text-list.js";

/**
 * Where the encoded images of a set lie: each is a file of its own, or a stretch of a larger one, such as an archive.
 * Everything is in columns, so that a million images take tens of megabytes.
 */
export interface ImagePlaces {
  /** The folder that relative paths start from, absolute. */
  readonly root: string;
  /** The file that keeps the list of the files from one time to the next, where there is one. */
  readonly index?: string;
  /** The paths of the files, [files]. */
  readonly files: TextList;
  /** The bytes of each file when it was listed, [files]. */
  readonly sizes: Float64Array;
  /** When each file was last modified before it was listed, milliseconds since 1970, [files]. */
  readonly times: Float64Array;
  /** The file that each image lies in, [count]. */
  readonly fileOf: Int32Array;
  /** Where in its file each image begins, [count]; left out where every image is a file of its own. */
  readonly offsets?: Float64Array;
  /** The bytes of each image, [count]; left out where every image is a file of its own. */
  readonly lengths?: Float64Array;
  /** The name of each file's member that is an image, [count]; left out where every image is a file of its own. */
  readonly members?: TextList;
}

/** Gives the whole path of a file, as bytes, since it need not be UTF-8. */
export function pathOf({ root, files }: ImagePlaces, file: number): Buffer {
  const path = bytesAt(files, file);
  const isWhole = path[0] === 0x2f;
  return Buffer.concat([Buffer.from(isWhole ? "" : root.endsWith("/") ? root : `${root}/`), path]);
}

/** Names an image in messages: its path, and within an archive its member's name. */
export function nameOf(places: ImagePlaces, i: number): string {
  const path = textAt(places.files, places.fileOf[i]!);
  const whole = isAbsolute(path) || isRemote(path) ? path : join(places.root, path);
  return places.members ? `${whole}: ${textAt(places.members, i)}` : whole;
}

/** Computes the SHA-256 of when the files were last modified, in hexadecimal: what is kept of their content goes by it. */
export function checksumOfTimes({ times }: ImagePlaces): string {
  return createHash("sha256")
    .update(new Uint8Array(times.buffer, times.byteOffset, times.byteLength))
    .digest("hex");
}

/** Picks images, in the order of `indices`. The list of files stays as it is. */
export function selectPlaces(places: ImagePlaces, indices: Int32Array): ImagePlaces {
  const { fileOf, offsets, lengths, members, ...files } = places;
  const pick = (column: Float64Array) => Float64Array.from(indices, (i) => column[i]!);
  return {
    ...files,
    fileOf: indices.map((i) => fileOf[i]!),
    ...(offsets && { offsets: pick(offsets) }),
    ...(lengths && { lengths: pick(lengths) }),
    ...(members && { members: selectTexts(members, indices) }),
  };
}

/** Picks texts, in the order of `indices`. */
function selectTexts({ bytes, starts }: TextList, indices: Int32Array): TextList {
  const picked = new Uint32Array(indices.length + 1);
  indices.forEach((from, to) => {
    picked[to + 1] = picked[to]! + starts[from + 1]! - starts[from]!;
  });
  const joined = new Uint8Array(picked[indices.length]!);
  indices.forEach((from, to) => {
    joined.set(bytes.subarray(starts[from]!, starts[from + 1]!), picked[to]!);
  });
  return { bytes: joined, starts: picked };
}

/**
 * Computes the SHA-256 of what the places say that does not depend on the machine: relative paths, sizes and labels, in
 * hexadecimal. The images' bytes are not read: of a million files that would take minutes.
 */
export function checksumOfStored({ places, labels, checksum }: StoredImages): string {
  if (checksum !== undefined) return checksum;
  const { files, sizes, fileOf, offsets, lengths } = places;
  const hash = createHash("sha256");
  for (const column of [files.bytes, files.starts, sizes, fileOf, offsets, lengths, labels])
    if (column) hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return hash.digest("hex");
}
