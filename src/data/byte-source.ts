/** Reads files of a known size as they stream by, so that a file of any other size takes no memory. */
import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "./data-error.js";

/** Bytes, and what messages call them. */
export interface ByteSource {
  /** A path, for a member of an archive "ARCHIVE: MEMBER". */
  readonly file: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What to do when the bytes are wrong: a sentence. */
  readonly remedy: string;
}

/** Opens a file; its bytes come unpacked when its name ends in .gz or .tgz. */
export function openBytes(path: string): Readable {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!/\.t?gz$/.test(path)) return file;
  // pipeline requires the callback; errors arrive where the result is read.
  return pipeline(file, createGunzip({ chunkSize: 1 << 18 }), () => {});
}

/**
 * Streams a source through `consume`, which is given the chunks and where they start.
 *
 * @param bytes the number of bytes that there must be; not one more is passed on
 * @throws DataError when there are fewer or more, or they cannot be read or unpacked
 */
export async function readBytes(
  { file, chunks, remedy }: ByteSource,
  bytes: number,
  consume: (chunk: Uint8Array, offset: number) => void,
): Promise<void> {
  let offset = 0;
  try {
    for await (const chunk of chunks) {
      consume(chunk.subarray(0, bytes - offset), offset);
      if (offset + chunk.length > bytes) {
        throw new DataError({ file, offset: bytes }, `goes on after the expected ${bytes} bytes`, remedy);
      }
      offset += chunk.length;
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ file, offset }, `cannot be read (${(error as Error).message})`, remedy, error);
  }
  if (offset < bytes) {
    throw new DataError({ file, offset }, `ends here, but must have ${bytes} bytes`, remedy);
  }
}
