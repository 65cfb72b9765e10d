import { statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../data-error.js";
import type { MakeOptions } from "../define.js";
import { type ClassFolders, classFolders } from "./class-folders.js";
import { indexFolders } from "./folder-index.js";
import type { ImagePlaces } from "./places.js";
import { hasImageEnding, type LeftOut, listFolder } from "./walk.js";

const remedy =
  "Give a folder with train/CLASS/… and val/CLASS/…, or one with a folder for each class: data: { folder: PATH }, or --set data.root=PATH";

/** The images in folders of their classes, and what was left out of them, in sentences. */
export interface OpenedFolders extends ClassFolders {
  readonly places: ImagePlaces;
  readonly notes: readonly string[];
  /** The files that were left out. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Lists the images in the folders of a folder, each of which is a class.
 *
 * @param root absolute
 * @param path the folder that holds the classes' folders, relative to the root; "" for the root itself
 * @param classes the least number of classes
 * @throws DataError when it is no folder, or holds images of fewer classes
 */
export async function openClassFolders(
  root: string,
  path: string,
  { onProgress, ...options }: MakeOptions,
  classes = 2,
): Promise<OpenedFolders> {
  const { folders, loose } = foldersIn(root, path);
  const tell =
    onProgress &&
    ((progress: { done: number; total: number }) => onProgress({ ...progress, doing: "listing images" }));
  const { index, files, sizes, times, leftOut, leftOutCount } = await indexFolders(root, folders, {
    ...options,
    onProgress: tell,
  });
  const found = classFolders(files, path === "" ? 0 : path.split("/").length);
  const file = join(root, path);
  if (found.classNames.length === 0)
    throw new DataError({ file }, "holds no images in folders of their classes", remedy);
  if (found.classNames.length < classes)
    throw new DataError(
      { file },
      `holds images of one class alone, ${found.classNames[0]}`,
      "There must be two classes at least",
    );
  const [first] = leftOut;
  const others = leftOutCount > 1 ? ` and ${leftOutCount - 1} other files` : "";
  const notes = [
    ...(first
      ? [`${first.path} (${first.why})${others} left out; \`npx lyceum data check\` lists them`]
      : []),
    ...(loose > 0 ? [`${loose} image files in ${file} that lie in no class's folder are left out`] : []),
  ];
  return {
    ...found,
    notes,
    leftOut,
    places: { root, index, files, sizes, times, fileOf: Int32Array.from(sizes.keys()) },
  };
}

/**
 * Finds the folders in a folder of the root, by their paths from the root, and counts the images that lie loose beside them.
 *
 * @throws DataError when it is no folder
 */
export function foldersIn(root: string, path: string): { folders: Buffer[]; loose: number } {
  const whole = join(root, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (!found) throw new DataError({ file: whole }, "is not there", remedy);
  if (!found.isDirectory()) throw new DataError({ file: whole }, "is no folder", remedy);
  const { entries } = listFolder(root, Buffer.from(path));
  const isFolder = (name: Buffer) =>
    statSync(Buffer.concat([Buffer.from(`${whole}/`), name]), { throwIfNoEntry: false })?.isDirectory() ===
    true;
  const names = entries.map(({ name }) => name).filter((name) => name[0] !== 0x2e);
  const prefix = Buffer.from(path === "" ? "" : `${path}/`);
  return {
    folders: names.filter(isFolder).map((name) => Buffer.concat([prefix, name])),
    loose: names.filter((name) => hasImageEnding(name) && !isFolder(name)).length,
  };
}
