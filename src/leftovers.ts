/** Files that processes leave which were killed while they wrote: what they are called, and when they can be removed. */
import type { Dirent } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * The names of files on their way to their final ones, and of locks on their way. All but the second, of earlier versions, hold the
 * number of their process.
 */
const temporaryForms = [
  /\.(\d+)(?:\.[0-9a-f]{8})?\.tmp$/,
  /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{12})\.tmp$/,
  /^(?:.*\.)?lock\.(\d+)\.[0-9a-f]{8}$/,
];

/** Milliseconds after which a file that nobody has written to was left, whichever machine's process was writing it. */
const LONG_MS = 3600 * 1000;

/** Tells whether a file's name is a temporary one, which has no use once its process has ended. */
export const isTemporary = (name: string) => temporaryForms.some((form) => form.test(name));

export interface LeftoverOptions {
  /** Whether the folders below are cleaned too. Default: false. */
  recursive?: boolean;
  /**
   * Whether nobody else can be writing here, as where this process holds the folder's lock: then nothing needs to be old. Default:
   * false, by which a file stays that was written to within the last hour.
   */
  alone?: boolean;
  /** Which files are meant. Default: all that have a temporary name. */
  among?: (name: string) => boolean;
}

/** Removes the temporary files of processes that were killed while they wrote. A folder that is not there, or not readable, has none. */
export async function removeLeftovers(
  folder: string,
  { recursive = false, alone = false, among = () => true }: LeftoverOptions = {},
): Promise<void> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && recursive) await removeLeftovers(path, { recursive, alone, among });
    if (!entry.isFile() || !isTemporary(entry.name) || !among(entry.name)) continue;
    if (alone ? isInUse(entry.name) : !(await isOld(path))) continue;
    await rm(path, { force: true }).catch(() => {});
  }
}

/** Tells whether a file is on its way now: one of this process, or a lock for which a live process is only trying. */
function isInUse(name: string): boolean {
  const pid = Number(temporaryForms.map((form) => form.exec(name)?.[1]).find((found) => found !== undefined));
  return pid === process.pid || (!name.endsWith(".tmp") && isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > LONG_MS;
}
