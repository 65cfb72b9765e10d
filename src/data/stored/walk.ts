import { type Dirent, readdirSync, type Stats, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { MakeOptions } from "../define.js";
import { TextListBuilder } from "./text-list.js";

/** How long the event loop waits for its turn while folders are read, in milliseconds. */
const longestWait = 25;
/** Folders within a class's folder, at most: links can make a folder its own. */
const deepest = 16;

/** The endings of image files, in lower case: what torchvision takes, as far as it is decoded here. */
export const imageEndings: readonly string[] = [
  ...[".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff"],
];

/** A folder whose entries were listed, and when it had last changed by then. */
export interface ListedFolder {
  /** Relative to the root. */
  readonly path: Uint8Array;
  /** Milliseconds since 1970; 0 where it had changed so lately that a later change might carry the same time. */
  readonly time: number;
}

/** A file that is no image by its name, or a link that leads nowhere. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** The image files below some folders, in the order of their paths. */
export interface Walked {
  readonly files: TextListBuilder;
  readonly sizes: number[];
  readonly times: number[];
  readonly folders: ListedFolder[];
  /** What was left out, the first ten thousand of it. */
  readonly leftOut: LeftOut[];
  leftOutCount: number;
}

export const newWalk = (): Walked => ({
  ...{ files: new TextListBuilder(), sizes: [], times: [], folders: [], leftOut: [], leftOutCount: 0 },
});

const slash = Buffer.from("/");
const joined = (...parts: Uint8Array[]) =>
  Buffer.concat(parts.flatMap((part, i) => (i ? [slash, part] : [part])));

/** Whether a folder changed within the last two seconds, in which another change might carry the same time. */
const changedJustNow = (time: number) => Date.now() - time < 2000;

/**
 * Lists a folder's entries by the bytes of their names, sorted by them, which for UTF-8 is the order of code points.
 *
 * @param root the folder that `path` is relative to
 */
export function listFolder(
  root: string,
  path: Uint8Array,
): { folder: ListedFolder; entries: Dirent<Buffer>[] } {
  const whole = joined(Buffer.from(root), path);
  // The time is read first: what changes while the folder is listed makes it look changed the next time.
  const time = statSync(whole).mtimeMs;
  const entries = readdirSync(whole, { encoding: "buffer", withFileTypes: true });
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  return { folder: { path, time: changedJustNow(time) ? 0 : time }, entries };
}

/**
 * Adds all image files below a folder to a walk. Links are followed. Names that begin with a dot are left out without a word.
 *
 * @param path the folder, relative to `root`
 * @param options.onProgress is told how many files were found so far
 * @throws the signal's reason when it is aborted; an error of the file system that names the folder
 */
export async function walkInto(
  walked: Walked,
  root: string,
  path: Uint8Array,
  options: MakeOptions,
): Promise<void> {
  let last = performance.now();
  const leaveOut = (left: Uint8Array, why: string) => {
    walked.leftOutCount++;
    if (walked.leftOut.length < 10_000)
      walked.leftOut.push({ path: Buffer.from(left).toString("utf8"), why });
  };
  /** The folders that the walk is in, by device and inode. */
  const inside = new Set(foldersAbove(path).map((above) => identityOf(joined(Buffer.from(root), above))));
  const visit = async (folder: Uint8Array, depth: number): Promise<void> => {
    const identity = identityOf(joined(Buffer.from(root), folder));
    if (inside.has(identity)) return leaveOut(folder, "a link to a folder that it lies in");
    inside.add(identity);
    await visitEntries(folder, depth);
    inside.delete(identity);
  };
  const visitEntries = async (folder: Uint8Array, depth: number): Promise<void> => {
    const { folder: listed, entries } = listFolder(root, folder);
    walked.folders.push(listed);
    for (const entry of entries) {
      if (performance.now() - last > longestWait) {
        options.onProgress?.({ done: walked.files.count, total: Number.NaN });
        await turn();
        options.signal?.throwIfAborted();
        last = performance.now();
      }
      if (entry.name[0] === 0x2e) continue;
      const at = joined(folder, entry.name);
      const found = statOf(joined(Buffer.from(root), at));
      if (!found) leaveOut(at, "a link that leads nowhere, or a file that may not be read");
      else if (found.isDirectory()) {
        if (depth < deepest) await visit(at, depth + 1);
        else leaveOut(at, `more than ${deepest} folders deep`);
      } else if (!found.isFile()) leaveOut(at, "no file");
      else if (!hasImageEnding(entry.name)) leaveOut(at, "no image by its name");
      else {
        walked.files.add(at);
        walked.sizes.push(found.size);
        walked.times.push(found.mtimeMs);
      }
    }
  };
  await visit(path, 0);
}

/** The folders that a path lies in, from the one that it is relative to. */
function foldersAbove(path: Uint8Array): Uint8Array[] {
  const above = path.length > 0 ? [path.subarray(0, 0)] : [];
  for (let i = path.indexOf(0x2f); i >= 0; i = path.indexOf(0x2f, i + 1)) above.push(path.subarray(0, i));
  return above;
}

/** Says which folder a path leads to, whatever its name. */
function identityOf(path: Uint8Array): string {
  const { dev, ino } = statSync(Buffer.from(path));
  return `${dev}:${ino}`;
}

function statOf(path: Buffer): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a file is taken for an image, by its name's ending. */
export function hasImageEnding(name: Uint8Array | string): boolean {
  const text = Buffer.from(name.slice(-5)).toString("latin1").toLowerCase();
  const dot = text.lastIndexOf(".");
  return dot >= 0 && imageEndings.includes(text.slice(dot));
}
