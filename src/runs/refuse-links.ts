import { lstat, readdir } from "node:fs/promises";

/**
 * Refuses a folder that holds symbolic links, at any depth. Work that goes on in a folder writes and removes files, and in one that
 * came from someone else a link could make those the files of another program. The folder itself may be a link: its owner made it.
 *
 * @param shown the folder as messages call it
 * @param what what goes on there, such as "a run"
 * @throws Error that names the first link
 */
export async function refuseLinks(path: string, shown: string, what: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const link = entries.find((entry) => entry.isSymbolicLink());
  if (link)
    throw new Error(
      `${shown}: ${link.name} is a link; ${what} goes on only in files that are its folder's own`,
    );
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
