import { read } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { RandomAccessReader } from "yauzl";
import { yauzl } from "./yauzl.js";

/** A file as yauzl reads it. */
export interface BoundedReader {
  reader: RandomAccessReader;
  /** The same promise, which is also rejected with whatever yauzl throws meanwhile where nobody could catch it. */
  guarded<T>(promise: Promise<T>): Promise<T>;
}

/**
 * Lets yauzl read a file within its bounds alone. Its own reader hands positions that a damaged file names to `fs.read` as they
 * are, which throws for some of them: out of a callback, so that the process would end.
 *
 * @param size the file's bytes
 */
export function boundedReader(file: FileHandle, size: number): BoundedReader {
  let fall: (error: unknown) => void = () => {};
  const fallen = new Promise<never>((_, reject) => {
    fall = reject;
  });
  // Nobody may be waiting any more.
  fallen.catch(() => {});
  type Callback = (error: Error | null, bytesRead?: number) => void;
  const tell = (callback: Callback, error: Error | null, bytesRead?: number) => {
    try {
      callback(error, bytesRead);
    } catch (thrown) {
      fall(thrown);
    }
  };
  class Reader extends yauzl().RandomAccessReader {
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: Callback,
    ): void {
      const inside = Number.isSafeInteger(position) && position >= 0 && position + length <= size;
      if (inside) {
        read(file.fd, buffer, offset, length, position, (error, count) => tell(callback, error, count));
      } else {
        setImmediate(() => tell(callback, new Error("lists what would lie beyond its end")));
      }
    }

    /** The file is its opener's. */
    override close(callback: (error: Error | null) => void): void {
      callback(null);
    }
  }
  return {
    reader: new Reader(),
    guarded: (promise) => Promise.race([promise, fallen]),
  };
}
