/** The list of image files below some folders, kept from one time to the next for as long as no folder changes. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { MakeOptions } from "../define.js";
import { type Columns, columnsOf, indexFile, loadIndex, saveIndex, textsOf } from "./index-file.js";
import { bytesAt, type TextList, TextListBuilder } from "./text-list.js";
import { type LeftOut, newWalk, walkInto } from "./walk.js";

/** A list shorter than this is made in no time, and not kept. */
const worthKeeping = 2000;

export interface FolderIndex {
  /** The file that keeps the list. */
  readonly index: string;
  /** The paths of the image files relative to the root, sorted by bytes folder by folder. */
  readonly files: TextList;
  /** The bytes of each file. */
  readonly sizes: Float64Array;
  /** When each file was last modified, milliseconds since 1970. */
  readonly times: Float64Array;
  /** What was left out, the first ten thousand of it. */
  readonly leftOut: readonly LeftOut[];
  readonly leftOutCount: number;
}

/**
 * Lists the image files below some folders of a root. A kept list is taken where none of the folders has changed since: none
 * has got, lost or renamed an entry. A file that was written over in place shows no sooner than it is read, since its size and
 * time are no longer those of the list; the list is then made anew the next time, as it is where `options.fresh` asks for it.
 *
 * @param root absolute
 * @param tops the folders to look into, relative to the root
 * @throws the signal's reason when it is aborted; an error of the file system that names the folder
 */
export async function indexFolders(
  root: string,
  tops: readonly Uint8Array[],
  options: MakeOptions,
): Promise<FolderIndex> {
  const file = indexFile("folders", root, ...tops.map((top) => Buffer.from(top).toString("hex")));
  const kept = options.fresh ? undefined : recall(file, root);
  if (kept) return { ...kept, index: file };
  const walked = newWalk();
  for (const top of tops) await walkInto(walked, root, top, options);
  const { folders, leftOut, leftOutCount } = walked;
  const index = {
    index: file,
    files: walked.files.finish(),
    sizes: Float64Array.from(walked.sizes),
    times: Float64Array.from(walked.times),
    leftOut,
    leftOutCount,
  };
  if (index.sizes.length >= worthKeeping) {
    const paths = new TextListBuilder();
    for (const { path } of folders) paths.add(path);
    const columns: Columns = {
      ...columnsOf("files", index.files),
      ...columnsOf("folders", paths.finish()),
      sizes: index.sizes,
      times: index.times,
      folderTimes: Float64Array.from(folders, ({ time }) => time),
    };
    saveIndex(file, columns, { root, leftOut: JSON.stringify({ leftOut, leftOutCount }) });
  }
  return index;
}

/** Gives the kept list where it is whole and no folder has changed. */
function recall(file: string, root: string): Omit<FolderIndex, "index"> | undefined {
  const kept = loadIndex(file);
  if (!kept) return undefined;
  try {
    const { columns, metadata } = kept;
    const folders = textsOf(columns, "folders");
    const folderTimes = columns.folderTimes!;
    const unchanged = folderTimes.every((time, i) => {
      const path = Buffer.concat([Buffer.from(join(root, "/")), bytesAt(folders, i)]);
      return time !== 0 && statSync(path).mtimeMs === time;
    });
    if (metadata.root !== root || !unchanged) return undefined;
    const { sizes, times } = columns;
    const files = textsOf(columns, "files");
    const count = files.starts.length - 1;
    if (!(sizes instanceof Float64Array && times instanceof Float64Array)) return undefined;
    if (sizes.length !== count || times.length !== count) return undefined;
    const { leftOut, leftOutCount } = JSON.parse(metadata.leftOut!) as Omit<FolderIndex, "index">;
    const isLeftOut = ({ path, why }: LeftOut) => typeof path === "string" && typeof why === "string";
    if (!leftOut.every(isLeftOut) || !(leftOutCount >= leftOut.length)) return undefined;
    return { files, sizes, times, leftOut, leftOutCount };
  } catch {
    // A folder that is gone, or a file of another layout.
    return undefined;
  }
}
