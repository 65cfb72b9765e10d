import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/**
 * Computes the SHA-256 of a file's bytes, in hexadecimal. The file is read in pieces, however large it is.
 *
 * @throws Error that names the file when it is not there or cannot be read
 */
export function sha256OfFile(path: string): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(2 ** 20);
  try {
    const file = openSync(path, "r");
    try {
      for (let read = readSync(file, piece); read > 0; read = readSync(file, piece))
        hash.update(piece.subarray(0, read));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : `cannot be read (${message})`;
    throw new Error(`${path}: ${why}`, { cause });
  }
  return hash.digest("hex");
}
