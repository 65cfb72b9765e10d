import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes a new folder for a run: `root/name`, or `root/name-2`, `-3`, … when that is taken.
 *
 * @returns its path; the folder is empty, and no other process was given it
 */
export async function claimRunDirectory(root: string, name: string): Promise<string> {
  await mkdir(root, { recursive: true });
  for (let n = 1; ; n++) {
    const path = join(root, n === 1 ? name : `${name}-${n}`);
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/**
 * Tells whether a name can be that of a run: a single folder's name, neither hidden nor like a command's
 * option.
 */
export function isRunName(name: string): boolean {
  return /^\w[\w.+-]{0,99}$/.test(name);
}
