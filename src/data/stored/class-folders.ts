import { bytesAt, type TextList } from "./text-list.js";

/** Images below folders of which each is a class. */
export interface ClassFolders {
  /** The names of the folders that hold images, in the order of their bytes. */
  readonly classNames: readonly string[];
  /** The class of each image. */
  readonly labels: Int32Array;
}

/**
 * Reads the classes out of paths such as `train/tench/a.jpg`: the folder at a depth is the class.
 *
 * @param files paths whose images of one class follow each other, the classes in the order of their bytes
 * @param depth folders before the class's in each path
 * @throws RangeError when two folders have the same name once what is not UTF-8 in them is replaced
 */
export function classFolders(files: TextList, depth: number): ClassFolders {
  const count = files.starts.length - 1;
  const classNames: string[] = [];
  const labels = new Int32Array(count);
  let before: Buffer | undefined;
  for (let i = 0; i < count; i++) {
    const folder = folderAt(bytesAt(files, i), depth);
    if (!before?.equals(folder)) {
      before = Buffer.from(folder);
      classNames.push(before.toString("utf8"));
    }
    labels[i] = classNames.length - 1;
  }
  const seen = new Set<string>();
  const twice = classNames.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new RangeError(
      `two folders are called ${JSON.stringify(twice)} once unreadable characters are replaced`,
    );
  return { classNames, labels };
}

/** The name of the folder at a depth of a path. */
function folderAt(path: Uint8Array, depth: number): Uint8Array {
  const slash = 0x2f;
  let start = 0;
  for (let i = 0; i < depth; i++) start = path.indexOf(slash, start) + 1;
  return path.subarray(start, path.indexOf(slash, start));
}
