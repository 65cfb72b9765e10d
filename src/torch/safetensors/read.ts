import { closeSync } from "node:fs";
import { Checksum, damaged, expectedDigest, withoutChecksum } from "./checksum.js";
import { openToRead, type Placed, readExactly, readHeader } from "./header.js";

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
 * Reads a whole file, tensor by tensor, and verifies its checksum at the end, where it has one.
 *
 * @param visit called with each tensor's bytes, which are valid until it returns
 * @returns the metadata, without the checksum
 * @throws Error naming the file and what is wrong with it; what was visited by then is not to be used
 */
export function readTensors(
  path: string,
  visit: (tensor: Placed, bytes: Uint8Array) => void = () => {},
): Record<string, string> {
  const file = openToRead(path);
  try {
    const { placed, metadata, start } = readHeader(file, path);
    const expected = expectedDigest(path, metadata);
    const checksum = expected === undefined ? undefined : new Checksum();
    const room = roomFor(path, placed);
    for (const each of placed) {
      const { begin, end } = each;
      const bytes = readExactly(file, path, room.subarray(0, end - begin), start + begin);
      checksum?.add(each, bytes);
      visit(each, bytes);
    }
    if (checksum && checksum.digest(metadata) !== expected)
      throw damaged(path, "its content is not what was written, by its SHA-256");
    return withoutChecksum(metadata);
  } finally {
    closeSync(file);
  }
}
