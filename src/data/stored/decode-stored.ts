import { rmSync } from "node:fs";
import type { Tensor } from "../../torch/index.js";
import * as torch from "../../torch/index.js";
import { DataError } from "../data-error.js";
import { decodeBatch, type EncodedImages, placesInMemory, type View } from "../decoding/index.js";
import { placeNumbers } from "../decoding/places.js";
import type { StoredImages } from "../image-set.js";
import { type ImagePlaces, nameOf, pathOf } from "./places.js";
import { isRemote, readRemote } from "./remote.js";
import { textAt } from "./text-list.js";

/**
 * Makes images ready for the decoder: lists those in files, with the size and the time that these had when they were listed; reads
 * those on a web server into memory.
 *
 * @throws DataError that names the first image that a server does not give
 */
export async function encodedImages(places: ImagePlaces, indices: Int32Array): Promise<EncodedImages> {
  const remote = places.files.starts.length > 1 && isRemote(textAt(places.files, 0));
  return remote ? await fetchImages(places, indices) : listImages(places, indices);
}

function listImages(places: ImagePlaces, indices: Int32Array): EncodedImages {
  const { sizes, times, fileOf, offsets, lengths } = places;
  const pieces: Uint8Array[] = [];
  const rows = new BigInt64Array(placeNumbers * indices.length);
  const starts = new Map<number, number>();
  let length = 0;
  indices.forEach((index, row) => {
    const file = fileOf[index]!;
    let start = starts.get(file);
    if (start === undefined) {
      start = length;
      starts.set(file, start);
      const path = pathOf(places, file);
      pieces.push(path, Buffer.of(0));
      length += path.length + 1;
    }
    const numbers = [
      ...[start, offsets?.[index] ?? 0, lengths?.[index] ?? -1],
      ...[sizes[file]!, Math.floor(times[file]!)],
    ];
    rows.set(numbers.map(BigInt), placeNumbers * row);
  });
  return { paths: Uint8Array.from(Buffer.concat(pieces)), places: rows };
}

async function fetchImages(places: ImagePlaces, indices: Int32Array): Promise<EncodedImages> {
  const { files, fileOf, offsets, lengths } = places;
  const tooLong = indices.find((index) => lengths![index]! > longest);
  if (tooLong !== undefined)
    throw new DataError(
      { file: nameOf(places, tooLong) },
      `is larger than ${longest / 2 ** 20} MiB`,
      "Make it smaller",
    );
  const parts = Array.from(indices, (index) =>
    readRemote({
      ...{ url: textAt(files, fileOf[index]!), offset: offsets![index]!, length: lengths![index]! },
    }).catch((cause: Error) => {
      throw new DataError(
        { file: nameOf(places, index) },
        cause.message,
        "Check the server and the connection",
        cause,
      );
    }),
  );
  return placesInMemory(await Promise.all(parts));
}

/** The most bytes that an encoded image may have; the native decoder refuses larger files too. */
const longest = 2 ** 28;

/** Makes the error for an image that is not as it was listed, and has the list made anew the next time. */
export function changedSince(places: ImagePlaces, index: number): DataError {
  if (places.index !== undefined) rmSync(places.index, { force: true });
  return new DataError(
    { file: nameOf(places, index) },
    "was changed since it was listed",
    "Run again: the files are listed anew then",
  );
}

/** A random view of each image of a batch: how boxes are drawn, and the numbers that decide them. */
export interface BoxDraw {
  readonly area: readonly [number, number];
  readonly aspect: readonly [number, number];
  /** [B] */
  readonly keys: BigInt64Array;
}

/**
 * Decodes images in the background as the network sees them: the middle of each, or a random box.
 *
 * @returns uint8 [B, 3, height, width], which belongs to the caller
 * @throws DataError that names the first image that cannot be decoded, and how many of the batch cannot
 */
export async function decodeStored(set: StoredImages, indices: Int32Array, box?: BoxDraw): Promise<Tensor> {
  const { height, width, resize } = set;
  const view: View = box
    ? { kind: "random", height, width, scale: box.area, ratio: box.aspect }
    : { kind: "central", height, width, resize };
  const encoded = await encodedImages(set.places, indices);
  const { pixels, outcomes } = await decodeBatch(encoded, view, {
    keys: box?.keys,
    threads: torch.getNumThreads(),
  });
  const bad = outcomes.flatMap(({ status, problem }, i) =>
    status === "ok" ? [] : [{ index: indices[i]!, status, problem }],
  );
  const [first] = bad;
  if (!first) return pixels;
  pixels.dispose();
  const changed = bad.find(({ status }) => status === "changed");
  if (changed) throw changedSince(set.places, changed.index);
  const others = bad.length > 1 ? `; so are ${bad.length - 1} others of the same batch` : "";
  throw new DataError(
    { file: nameOf(set.places, first.index) },
    `${first.problem}${others}`,
    "Mend it or take it away, or leave such images out by data.damaged: skip; `npx lyceum data check` finds all of them",
  );
}
