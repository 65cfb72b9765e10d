import { closeSync } from "node:fs";
import { wrap } from "../dispatch.js";
import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { withoutChecksum } from "./checksum.js";
import { openToRead, readHeader } from "./header.js";
import { readTensors } from "./read.js";

export interface Safetensors {
  /** By name, in no particular order; on the CPU, requiring no gradient. A null-prototype object. */
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
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
  const tensors: Record<string, Tensor> = Object.create(null);
  try {
    const metadata = readTensors(path, ({ name, dtype, shape }, bytes) => {
      // A bool of any other byte than 0 and 1 is undefined behaviour in C++.
      if (dtype === "bool") for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] ? 1 : 0;
      tensors[name] = wrap(native.fromBytes(bytes, dtype, shape));
    });
    return { tensors, metadata };
  } catch (error) {
    for (const tensor of Object.values(tensors)) tensor.dispose();
    throw error;
  }
}

/**
 * Reads a whole file and verifies it as {@link loadSafetensors} does, without keeping any of it.
 *
 * @throws Error naming the file and what is wrong
 */
export function verifySafetensors(path: string): void {
  readTensors(path);
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
