import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { MakeOptions } from "../define.js";
import type { StoredImages } from "../image-set.js";
import { nameOf, pathOf } from "./places.js";

/** The bytes at either end of an image that are compared before all of it is read. */
const glance = 2048;

/** An image of the test part whose very bytes are in the training part too. */
export interface Twice {
  readonly train: string;
  readonly test: string;
}

/**
 * Finds images that are in both parts of a set, byte for byte: they make a test easier than it should be. Only images of the
 * same length are looked into, and only those that also begin and end alike are read whole.
 */
export async function findTwice(
  train: StoredImages,
  test: StoredImages,
  { signal, onProgress }: MakeOptions = {},
): Promise<Twice[]> {
  const byLength = new Map<number, number[]>();
  for (let i = 0; i < train.count; i++) {
    const length = lengthOf(train, i);
    const known = byLength.get(length);
    if (known) known.push(i);
    else byLength.set(length, [i]);
  }
  // Each image is glanced at, and read whole, once at most.
  const glances = memoised((i) => hashOf(train, i, glance));
  const wholes = memoised((i) => hashOf(train, i));
  const found: Twice[] = [];
  for (let i = 0; i < test.count; i++) {
    signal?.throwIfAborted();
    onProgress?.({ done: i, total: test.count, doing: "looking for images in both parts" });
    const candidates = byLength.get(lengthOf(test, i)) ?? [];
    if (candidates.length === 0) continue;
    const seen = await hashOf(test, i, glance);
    const whole = memoised(() => hashOf(test, i));
    for (const candidate of candidates) {
      if ((await glances(candidate)) !== seen) continue;
      if ((await wholes(candidate)) !== (await whole(i))) continue;
      found.push({ train: nameOf(train.places, candidate), test: nameOf(test.places, i) });
      break;
    }
  }
  return found;
}

function lengthOf({ places: { lengths, sizes, fileOf } }: StoredImages, i: number): number {
  return lengths?.[i] ?? sizes[fileOf[i]!]!;
}

function memoised(make: (i: number) => Promise<string>): (i: number) => Promise<string> {
  const made = new Map<number, Promise<string>>();
  return (i) => {
    let one = made.get(i);
    if (!one) {
      one = make(i);
      made.set(i, one);
    }
    return one;
  };
}

/**
 * Computes the SHA-256 of an image's bytes, or of so many at either end.
 *
 * @returns a text that no other image gives where it cannot be read: it is reported elsewhere
 */
async function hashOf(set: StoredImages, i: number, ends?: number): Promise<string> {
  const { places } = set;
  const path = pathOf(places, places.fileOf[i]!);
  const start = places.offsets?.[i] ?? 0;
  const length = lengthOf(set, i);
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const hash = createHash("sha256");
    const read = async (from: number, size: number) => {
      const { buffer, bytesRead } = await file!.read(Buffer.alloc(size), 0, size, start + from);
      hash.update(buffer.subarray(0, bytesRead));
    };
    if (ends !== undefined && length > 2 * ends) {
      await read(0, ends);
      await read(length - ends, ends);
    } else {
      for (let from = 0; from < length; from += 1 << 20) await read(from, Math.min(1 << 20, length - from));
    }
    return hash.digest("hex");
  } catch {
    return `unreadable: ${nameOf(places, i)}`;
  } finally {
    await file?.close();
  }
}
