import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * Reads a small text file that may come from anyone. It must be a regular file of bounded size and valid
 * UTF-8.
 *
 * @param maxBytes the largest size that is accepted; it is checked before anything is read
 * @throws Error that names the file and what is wrong with it
 */
export async function readBoundedText(path: string, { maxBytes }: { maxBytes: number }): Promise<string> {
  // Without O_NONBLOCK, opening a FIFO would wait forever for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await checkedStat(file, path);
    if (size > maxBytes) throw new Error(`${path}: ${size} bytes, but at most ${maxBytes} are expected here`);
    const bytes = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return decode(bytes.subarray(0, length), path);
  } finally {
    await file.close();
  }
}

async function checkedStat(file: Awaited<ReturnType<typeof open>>, path: string) {
  const stat = await file.stat();
  if (!stat.isFile()) throw new Error(`${path}: not a regular file`);
  return stat;
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${path}: not valid UTF-8 text`);
  }
}
