/** The list of the files in a tar archive, kept from one time to the next for as long as the archive stays the same. */
import { closeSync, openSync, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { MakeOptions } from "../define.js";
import { columnsOf, indexFile, loadIndex, saveIndex, textsOf } from "./index-file.js";
import { tarEntries } from "./tar.js";
import { type TextList, TextListBuilder } from "./text-list.js";

const longestWait = 25;

/** The files in an archive, in its order. */
export interface TarIndex {
  /** Their names; those of an archive in the archive have its name before them: `n01440764.tar/n01440764_10026.JPEG`. */
  readonly names: TextList;
  /** Where each begins in the archive's file. */
  readonly offsets: Float64Array;
  /** The bytes of each. */
  readonly lengths: Float64Array;
  /** The bytes of the archive. */
  readonly size: number;
  /** When the archive was last modified, milliseconds since 1970. */
  readonly time: number;
}

/**
 * Lists the files in a tar archive.
 *
 * @param path the archive, absolute
 * @param options.nested whether the archive holds archives, whose files are listed instead of them
 * @throws DataError when an archive is damaged or cut short; the signal's reason when it is aborted
 */
export async function indexTar(
  path: string,
  { nested = false, signal, onProgress }: MakeOptions & { nested?: boolean },
): Promise<TarIndex> {
  const { size, mtimeMs: time } = statSync(path);
  const kept = indexFile("tar", path, String(nested));
  const known = recall(kept, size, time);
  if (known) return known;
  const names = new TextListBuilder();
  const offsets: number[] = [];
  const lengths: number[] = [];
  const file = openSync(path, "r");
  try {
    let last = performance.now();
    for (const entry of nested ? membersOfMembers(file, path) : tarEntries(file, path)) {
      names.add(entry.name);
      offsets.push(entry.offset);
      lengths.push(entry.size);
      if (performance.now() - last < longestWait) continue;
      onProgress?.({ done: offsets.length, total: Number.NaN, doing: "listing images" });
      await turn();
      signal?.throwIfAborted();
      last = performance.now();
    }
  } finally {
    closeSync(file);
  }
  const index = {
    ...{ names: names.finish(), offsets: Float64Array.from(offsets), lengths: Float64Array.from(lengths) },
    ...{ size, time },
  };
  const columns = { ...columnsOf("names", index.names), offsets: index.offsets, lengths: index.lengths };
  saveIndex(kept, columns, { size: String(size), time: String(time) });
  return index;
}

function* membersOfMembers(file: number, path: string) {
  for (const { name, offset, size } of tarEntries(file, path)) {
    if (!name.endsWith(".tar")) continue;
    for (const entry of tarEntries(file, `${path}: ${name}`, [offset, offset + size]))
      yield { ...entry, name: `${name}/${entry.name}` };
  }
}

function recall(file: string, size: number, time: number): TarIndex | undefined {
  const kept = loadIndex(file);
  if (kept?.metadata.size !== String(size) || kept.metadata.time !== String(time)) return undefined;
  try {
    const names = textsOf(kept.columns, "names");
    const { offsets, lengths } = kept.columns as { offsets: Float64Array; lengths: Float64Array };
    const count = names.starts.length - 1;
    return offsets.length === count && lengths.length === count
      ? { names, offsets, lengths, size, time }
      : undefined;
  } catch {
    return undefined;
  }
}
