import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { writeError } from "../../write-error.js";
import { Checksum, withChecksum } from "./checksum.js";
import { codes, longestTransfer, metadataKey, type Placed } from "./header.js";
import type { Layout } from "./layout.js";

/** @internal */
export function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, longestTransfer);
    done += writeSync(file, bytes, done, length, position === undefined ? null : position + done);
  }
}

/** @internal The bytes of a header: its length and the JSON, padded with spaces so that the data start on a multiple of 8. */
export function encode(header: Record<string, unknown>): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const padding = (8 - (json.length % 8)) % 8;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  return Buffer.concat([length, json, Buffer.alloc(padding, " ")]);
}

/**
 * Writes a file with its checksum. It appears whole or not at all, and is on the disk when this returns, but for its name:
 * temporary file, fsync, rename.
 *
 * @param bytesOf gives the bytes of a tensor; asked for one after the other
 * @param beforeName called with the temporary file before it takes the place of one that is there
 * @throws Error with the `path` when the file cannot be written; nothing is left then
 */
export function writeSafetensors(
  path: string,
  { placed, metadata }: Pick<Layout, "placed" | "metadata">,
  bytesOf: (tensor: Placed) => Uint8Array,
  beforeName?: (temporary: string) => void,
): void {
  // Without a prototype: "__proto__" is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  header[metadataKey] = withChecksum(metadata);
  for (const { name, dtype, shape, begin, end } of placed)
    header[name] = { dtype: codes[dtype], shape, data_offsets: [begin, end] };

  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w");
    try {
      const checksum = new Checksum();
      writeAll(file, encode(header));
      for (const each of placed) {
        const bytes = bytesOf(each);
        checksum.add(each, bytes);
        writeAll(file, bytes);
      }
      // The header is as long as before: every checksum has as many digits.
      header[metadataKey] = withChecksum(metadata, checksum.digest(metadata));
      writeAll(file, encode(header), 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    beforeName?.(temporary);
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(error, { path, bytes: encode(header).length + (placed.at(-1)?.end ?? 0) });
  }
}

/** Removes a file if it can be: where a disk fails, the error to report is the first one. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next start removes it.
  }
}
