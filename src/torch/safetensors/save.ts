import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { writeError } from "../../write-error.js";
import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { Checksum, reservedKeys, withChecksum } from "./checksum.js";
import { checkMetadata, codes, longestTransfer, metadataKey, widths } from "./header.js";

function bytesOf(tensor: Tensor): Uint8Array {
  const bytes = new Uint8Array(tensor.numel * widths[tensor.dtype]);
  using here = tensor.detach().to({ device: "cpu", dtype: tensor.dtype });
  using dense = here.contiguous();
  native.read(dense.handle, bytes);
  return bytes;
}

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

/** Removes a file if it can be: where a disk fails, the error to report is the first one. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next start removes it.
  }
}

/**
 * Writes tensors under their names: the widest dtype first, so that each stands on a multiple of its width, then in
 * name order. The file appears whole or not at all, and carries a checksum of all that is in it in two entries of its
 * metadata, `lyceum.checksum` and `lyceum.sha256`, which other readers take for any text.
 *
 * @param metadata free text, kept beside the tensors
 * @throws Error when the file cannot be written, a dtype has no code in the format, or metadata are not text or go by one
 *   of the checksum's names
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const text = checkMetadata(path, metadata);
  const reserved = reservedKeys.find((key) => key in text);
  if (reserved) throw new Error(`${path}: metadata ${reserved} is the checksum's own name: choose another`);
  const listed = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { dtype, shape, numel } = tensors[name]!;
      if (name === metadataKey || !codes[dtype]) {
        throw new Error(`${path}: cannot store tensor ${JSON.stringify(name)} of dtype ${dtype}`);
      }
      return { name, dtype, shape: [...shape], bytes: numel * widths[dtype] };
    })
    .sort((a, b) => widths[b.dtype] - widths[a.dtype]);
  // Without a prototype: "__proto__" is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  header[metadataKey] = withChecksum(text);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of listed) {
    header[name] = { dtype: codes[dtype], shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }

  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w");
    try {
      const checksum = new Checksum();
      writeAll(file, encode(header));
      for (const each of listed) {
        const bytes = bytesOf(tensors[each.name]!);
        checksum.add(each, bytes);
        writeAll(file, bytes);
      }
      // The header is as long as before: every checksum has as many digits.
      header[metadataKey] = withChecksum(text, checksum.digest(text));
      writeAll(file, encode(header), 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(error, { path, bytes: offset + encode(header).length });
  }
}
