import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Refuses a folder that holds symbolic links, at any depth. Work that goes on in a folder writes and removes files, and in one that
 * came from someone else a link could make those the files of another program. The folder itself may be a link: its owner made it.
 *
 * @param shown the folder as messages call it
 * @param what what goes on there, such as "a run"
 * @throws Error that names the first link
 */
export async function refuseLinks(path: string, shown: string, what: string): Promise<void> {
  for (const entry of await entriesOf(path)) {
    if (entry.isSymbolicLink())
      throw new Error(
        `${shown}: ${entry.name} is a link; ${what} goes on only in files that are its folder's own`,
      );
    if (entry.isDirectory()) await refuseLinks(join(path, entry.name), shown, what);
  }
}

/** Lists a folder; nothing where another process has just removed it. */
async function entriesOf(path: string): Promise<Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

/**
 * Refuses a folder to write into that is a link, in a folder which may come from someone else.
 *
 * @throws Error that names it
 */
export async function refuseLinkAt(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink())
    throw new Error(`${path}: is a link; nothing is written through it: take it away`);
}
