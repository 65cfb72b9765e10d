/**
 * A file of a set's images, decoded and downsized, so that a machine with few cores decodes them once and not in each epoch. Its
 * images are read by positions, not by mapping the file into memory: a mapped file that somebody shortens kills the process.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, statfsSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { removeLeftovers } from "../../leftovers.js";
import * as torch from "../../torch/index.js";
import { writeError } from "../../write-error.js";
import { DataError } from "../data-error.js";
import { fitBatch } from "../decoding/index.js";
import type { MakeOptions } from "../define.js";
import type { StoredImages } from "../image-set.js";
import { changedSince, encodedImages } from "./decode-stored.js";
import { loadIndex, saveIndex } from "./index-file.js";
import { checksumOfStored, checksumOfTimes, nameOf } from "./places.js";
import { TextListBuilder } from "./text-list.js";

/** Images that are decoded at once. */
const atOnce = 32;
/** Images whose sizes are looked at to say how large the file will be. */
const sampled = 256;

export interface CacheOptions extends MakeOptions {
  /** The folder that holds the files. Default: $LYCEUM_DATA/decoded, else ~/.cache/lyceum/decoded. */
  folder?: string | undefined;
  /** Pixels to which an image's shorter side is resized where it is longer. */
  side: number;
}

/**
 * Gives the same images out of a file of decoded ones, which is written the first time. With the side that evaluation resizes to, what
 * a network sees in evaluation is the same to the bit; random boxes are cut out of the downsized images.
 *
 * @throws DataError when the disk has no room, said before anything is written, or an image cannot be decoded; the signal's reason
 *   when it is aborted. Neither leaves a file behind
 */
export async function withDecodedCache(set: StoredImages, options: CacheOptions): Promise<StoredImages> {
  if (set.count === 0) return set;
  const home = process.env.LYCEUM_DATA || join(homedir(), ".cache", "lyceum");
  const { side } = options;
  const folder = resolve(options.folder ?? join(home, "decoded"));
  const key = createHash("sha256")
    .update(JSON.stringify([1, set.places.root, checksumOfStored(set), checksumOfTimes(set.places), side]))
    .digest("hex");
  const path = join(folder, `${key.slice(0, 32)}.images`);
  const index = join(folder, `${key.slice(0, 32)}.index`);
  const known = existsSync(path) ? loadIndex(index)?.columns.offsets : undefined;
  if (known instanceof Float64Array && known.length === set.count + 1 && statSync(path).size === known.at(-1))
    return fromFile(set, path, known);
  mkdirSync(folder, { recursive: true });
  // The folder is whichever a recipe names, and may hold the temporary files of others.
  await removeLeftovers(folder, { among: (name) => /^[0-9a-f]{32}\.images\./.test(name) });
  await requireRoom(set, folder, options);
  const offsets = await writeImages(set, path, options);
  saveIndex(index, { offsets }, { images: String(set.count) });
  return fromFile(set, path, offsets);
}

function fromFile(set: StoredImages, path: string, offsets: Float64Array): StoredImages {
  const files = new TextListBuilder();
  files.add(path);
  const members = new TextListBuilder();
  for (let i = 0; i < set.count; i++) members.add(nameOf(set.places, i));
  const { size, mtimeMs } = statSync(path);
  return {
    ...set,
    checksum: checksumOfStored(set),
    places: {
      ...{ root: set.places.root, files: files.finish(), members: members.finish() },
      ...{ sizes: Float64Array.of(size), times: Float64Array.of(mtimeMs), fileOf: new Int32Array(set.count) },
      offsets: offsets.slice(0, -1),
      lengths: Float64Array.from({ length: set.count }, (_, i) => offsets[i + 1]! - offsets[i]!),
    },
  };
}

/** Estimates the file's size from some images all over the set, and compares it with the room on the disk. */
async function requireRoom(set: StoredImages, folder: string, { side, signal }: CacheOptions): Promise<void> {
  const step = Math.max(1, Math.floor(set.count / sampled));
  const some = Int32Array.from({ length: Math.ceil(set.count / step) }, (_, i) => i * step);
  let [bytes, sound] = [0, 0];
  for (let start = 0; start < some.length; start += atOnce) {
    signal?.throwIfAborted();
    const { files } = await fitBatch(
      await encodedImages(set.places, some.subarray(start, start + atOnce)),
      side,
    );
    for (const { length } of files.filter(({ length }) => length > 0)) {
      bytes += length;
      sound++;
    }
  }
  const mean = bytes / Math.max(1, sound);
  const needed = 1.05 * mean * set.count;
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (needed < 0.95 * free) return;
  const inGigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`;
  throw new DataError(
    { file: folder },
    `has ${inGigabytes(free)} free, and ${set.count} decoded images of ${set.name} take about ${inGigabytes(needed)}`,
    "Give another folder in data.cache, a smaller data.cacheSide, or leave data.cache out",
  );
}

/** @returns where each image begins in the file, and where the last one ends, [count + 1] */
async function writeImages(
  set: StoredImages,
  path: string,
  { side, signal, onProgress }: CacheOptions,
): Promise<Float64Array> {
  const offsets = new Float64Array(set.count + 1);
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "w");
    for (let start = 0; start < set.count; start += atOnce) {
      signal?.throwIfAborted();
      const indices = Int32Array.from({ length: Math.min(atOnce, set.count - start) }, (_, i) => start + i);
      const records = await recordsOf(set, indices, side);
      for (const record of records) await file.writeFile(record);
      records.forEach((record, i) => {
        offsets[start + i + 1] = offsets[start + i]! + record.length;
      });
      onProgress?.({
        done: start + indices.length,
        total: set.count,
        doing: "decoding images into the cache",
      });
    }
    await file.sync();
    await file.close();
    await rename(temporary, path);
    return offsets;
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw isOfSystem(error) ? writeError(error, { path }) : error;
  }
}

const isOfSystem = (error: unknown) => typeof (error as NodeJS.ErrnoException).code === "string";

async function recordsOf(set: StoredImages, indices: Int32Array, side: number): Promise<Uint8Array[]> {
  const encoded = await encodedImages(set.places, indices);
  const { files, outcomes } = await fitBatch(encoded, side, { threads: torch.getNumThreads() });
  const bad = outcomes.findIndex(({ status }) => status !== "ok");
  if (bad < 0) return files;
  if (outcomes[bad]!.status === "changed") throw changedSince(set.places, indices[bad]!);
  throw new DataError(
    { file: nameOf(set.places, indices[bad]!) },
    outcomes[bad]!.problem,
    "Mend it or take it away, or leave such images out by data.damaged: skip",
  );
}
