import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeError } from "../write-error.js";

/**
 * Writes a file that appears whole or not at all, and is on the disk when the promise resolves: temporary
 * file in the same folder, fsync, rename, fsync of the folder.
 *
 * @param options.durable whether it is to outlast a power cut; without, nothing waits for the disk. Default: true
 */
export async function writeAtomic(
  path: string,
  data: string | Uint8Array,
  { durable = true }: { durable?: boolean } = {},
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
  );
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(data);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(error, {
      path,
      bytes: typeof data === "string" ? Buffer.byteLength(data) : data.length,
    });
  }
  if (durable) await syncFolder(dirname(path));
}

/**
 * Makes the names in a folder durable: fsync of a file keeps its content through a power cut, not its name.
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
