import { closeSync } from "node:fs";
import { wrap } from "../dispatch.js";
import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { Checksum, damaged, expectedDigest, withoutChecksum } from "./checksum.js";
import { openToRead, type Placed, readExactly, readHeader } from "./header.js";

export interface Safetensors {
  /** By name, in no particular order; on the CPU, requiring no gradient. A null-prototype object. */
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

/** One buffer that holds the bytes of each tensor in turn. */
function roomFor(path: string, placed: readonly Placed[]): Uint8Array {
  const most = placed.reduce((size, { begin, end }) => Math.max(size, end - begin), 0);
  try {
    return new Uint8Array(most);
  } catch (cause) {
    throw new Error(`${path}: a tensor of ${most} bytes is too big for this process`, { cause });
  }
}

/**
 * Reads a whole file. Where {@link saveSafetensors} left a checksum in it, the content is verified; other programs'
 * files have none and are read without.
 *
 * @throws Error naming the file and what is wrong: a header that is too long or no JSON, unknown dtypes, shapes that
 *   do not fit their bytes, data that overlaps, leaves gaps or ends beyond the file, or content that is not what its
 *   checksum was taken of
 */
export function loadSafetensors(path: string): Safetensors {
  const file = openToRead(path);
  const tensors: Record<string, Tensor> = Object.create(null);
  try {
    const { placed, metadata, start } = readHeader(file, path);
    const expected = expectedDigest(path, metadata);
    const checksum = expected === undefined ? undefined : new Checksum();
    const room = roomFor(path, placed);
    for (const each of placed) {
      const { name, dtype, shape, begin, end } = each;
      const bytes = readExactly(file, path, room.subarray(0, end - begin), start + begin);
      checksum?.add(each, bytes);
      // A bool of any other byte than 0 and 1 is undefined behaviour in C++.
      if (dtype === "bool") for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] ? 1 : 0;
      tensors[name] = wrap(native.fromBytes(bytes, dtype, shape));
    }
    if (checksum && checksum.digest(metadata) !== expected)
      throw damaged(path, "its content is not what was written, by its SHA-256");
    return { tensors, metadata: withoutChecksum(metadata) };
  } catch (error) {
    for (const tensor of Object.values(tensors)) tensor.dispose();
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a whole file and verifies it as {@link loadSafetensors} does, without keeping any of it.
 *
 * @throws Error naming the file and what is wrong
 */
export function verifySafetensors(path: string): void {
  const file = openToRead(path);
  try {
    const { placed, metadata, start } = readHeader(file, path);
    const expected = expectedDigest(path, metadata);
    const checksum = new Checksum();
    const room = roomFor(path, placed);
    for (const each of placed)
      checksum.add(
        each,
        readExactly(file, path, room.subarray(0, each.end - each.begin), start + each.begin),
      );
    if (expected !== undefined && checksum.digest(metadata) !== expected)
      throw damaged(path, "its content is not what was written, by its SHA-256");
  } finally {
    closeSync(file);
  }
}

/**
 * Reads the metadata alone, at most 16 MiB of a file of any size. The header is checked as {@link loadSafetensors}
 * does; the checksum is not, since that takes the whole file.
 *
 * @throws Error naming the file and what is wrong
 */
export function readSafetensorsMetadata(path: string): Record<string, string> {
  const file = openToRead(path);
  try {
    return withoutChecksum(readHeader(file, path).metadata);
  } finally {
    closeSync(file);
  }
}
