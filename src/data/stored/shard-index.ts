/** The list of the samples in a WebDataset shard, kept from one time to the next for as long as the shard stays the same. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DataError } from "../data-error.js";
import { columnsOf, indexFile, loadIndex, saveIndex, textsOf } from "./index-file.js";
import { type TarEntry, tarEntries } from "./tar.js";
import { type TextList, TextListBuilder } from "./text-list.js";
import { imageEndings } from "./walk.js";

/** A label is a short text. */
const longestLabel = 4096;
const remedy = "A sample must be an image and its class, KEY.jpg and KEY.cls, which hold its number from 0";

/** The samples of a shard, in its order. */
export interface ShardIndex {
  /** The names of the images' members. */
  readonly names: TextList;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  /** The class of each. */
  readonly labels: Int32Array;
  readonly size: number;
  readonly time: number;
}

/**
 * Lists the samples of a shard: members of one name up to its first dot, an image and a class.
 *
 * @throws DataError when the shard is damaged or cut short, or a sample lacks its image or its class
 */
export function indexShard(path: string): ShardIndex {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new DataError({ file: path }, "is not there", "Check data.train and data.test");
  const { size, mtimeMs: time } = found;
  const kept = indexFile("shard", path);
  const known = recall(kept, size, time);
  if (known) return known;
  const names = new TextListBuilder();
  const [offsets, lengths, labels]: number[][] = [[], [], []];
  const file = openSync(path, "r");
  try {
    for (const { key, image, label } of samplesOf(file, path)) {
      if (!image || !label)
        throw new DataError({ file: `${path}: ${key}` }, `has no ${image ? "class" : "image"}`, remedy);
      names.add(image.name);
      offsets!.push(image.offset);
      lengths!.push(image.size);
      labels!.push(labelIn(file, path, label));
    }
  } finally {
    closeSync(file);
  }
  const index = {
    names: names.finish(),
    offsets: Float64Array.from(offsets!),
    lengths: Float64Array.from(lengths!),
    labels: Int32Array.from(labels!),
  };
  const { names: texts, ...columns } = index;
  saveIndex(kept, { ...columnsOf("names", texts), ...columns }, { size: String(size), time: String(time) });
  return { ...index, size, time };
}

interface Sample {
  key: string;
  image?: TarEntry;
  label?: TarEntry;
}

/** Groups the members of a shard by their names up to the first dot. Those that are no image and no class are left out. */
function* samplesOf(file: number, path: string): Generator<Sample> {
  let sample: Sample | undefined;
  for (const entry of tarEntries(file, path)) {
    const base = entry.name.lastIndexOf("/") + 1;
    const dot = entry.name.indexOf(".", base);
    if (dot < 0 || entry.name[base] === ".") continue;
    const key = entry.name.slice(0, dot);
    const ending = entry.name.slice(dot).toLowerCase();
    const isImage = imageEndings.includes(ending);
    if (!isImage && ending !== ".cls") continue;
    if (sample?.key !== key) {
      if (sample) yield sample;
      sample = { key };
    }
    if (isImage) sample.image ??= entry;
    else sample.label = entry;
  }
  if (sample) yield sample;
}

function labelIn(file: number, path: string, { name, offset, size }: TarEntry): number {
  const bytes = Buffer.alloc(Math.min(size, longestLabel));
  readSync(file, bytes, 0, bytes.length, offset);
  const text = bytes.toString("utf8").trim();
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new DataError(
    { file: `${path}: ${name}` },
    `is no class's number but ${JSON.stringify(text.slice(0, 40))}`,
    remedy,
  );
}

function recall(file: string, size: number, time: number): ShardIndex | undefined {
  const kept = loadIndex(file);
  if (kept?.metadata.size !== String(size) || kept.metadata.time !== String(time)) return undefined;
  try {
    const names = textsOf(kept.columns, "names");
    const { offsets, lengths, labels } = kept.columns as unknown as ShardIndex;
    const count = names.starts.length - 1;
    const fits = [offsets, lengths, labels].every((column) => column.length === count);
    return fits ? { names, offsets, lengths, labels, size, time } : undefined;
  } catch {
    return undefined;
  }
}
