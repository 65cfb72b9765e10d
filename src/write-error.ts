import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";

/** What a write was about to do. */
interface Attempt {
  /** The file that was to be written, by its final name. */
  path: string;
  /** The bytes that it takes, where they are known. */
  bytes?: number | undefined;
}

/** What the system's codes say about a disk, in words that follow a file's name. */
const words: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read only now",
  EIO: "the disk failed (input/output error)",
};

/**
 * Gives the error of a write that failed the words that a person needs: which file, how much room it takes and how much there is,
 * and what to do. The code of the system's error stays, and `path` is the file by its final name.
 *
 * @param error what the system has thrown; anything that is no error of a disk is given back with `path` alone
 */
export function writeError(error: unknown, { path, bytes }: Attempt): unknown {
  if (!(error instanceof Error)) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const folder = dirname(path);
  if (code === "ENOENT" && !existsSync(folder))
    return named(error, path, `${path}: cannot be written: its folder is gone`);
  if (!words[code]) return Object.assign(error, { path });
  const room = ["ENOSPC", "EDQUOT"].includes(code) ? roomFor(folder, bytes) : "";
  return named(
    error,
    path,
    `${path}: cannot be written: ${words[code]}${room}. What was finished is kept; once that is mended, go on from there`,
  );
}

function named(cause: Error, path: string, message: string): Error {
  const { code, syscall, errno } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(message, { cause }), { code, syscall, errno, path });
}

/** Says how much room a file takes, and how much there is. */
function roomFor(folder: string, bytes: number | undefined): string {
  const needed = bytes === undefined ? [] : [`the file takes ${inUnits(bytes)}`];
  try {
    const { bavail, bsize } = statfsSync(folder);
    return ` (${[...needed, `${inUnits(bavail * bsize)} free`].join(", ")})`;
  } catch {
    return needed.length > 0 ? ` (${needed[0]})` : "";
  }
}

/** Writes a number of bytes in a unit that people read. */
function inUnits(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}
