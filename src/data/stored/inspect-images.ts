import * as torch from "../../torch/index.js";
import { decodeBatch, type ImageStatus } from "../decoding/index.js";
import type { MakeOptions } from "../define.js";
import type { StoredImages } from "../image-set.js";
import { changedSince, encodedImages } from "./decode-stored.js";
import { indexFile, loadIndex, saveIndex } from "./index-file.js";
import { checksumOfStored, checksumOfTimes, nameOf } from "./places.js";

/** Images that are decoded at once; they become small, so that they take little memory. */
const atOnce = 256;
const tiny = { kind: "central", resize: 8, height: 8, width: 8 } as const;

/** An image that cannot be decoded. */
export interface DamagedImage {
  readonly index: number;
  /** Its path, and its name within an archive. */
  readonly name: string;
  readonly status: Exclude<ImageStatus, "ok">;
  /** What is wrong, to go on after the name. */
  readonly problem: string;
}

/** What is found when all images of a set are decoded. */
export interface Inspection {
  /** The width of each image in pixels, 0 where it is not known. */
  readonly widths: Int32Array;
  readonly heights: Int32Array;
  readonly damaged: readonly DamagedImage[];
}

/**
 * Decodes every image of a set whole, to find those that cannot be. What was found is kept for as long as no file changes.
 *
 * @throws the signal's reason when it is aborted
 */
export async function inspectImages(
  set: StoredImages,
  { signal, onProgress }: MakeOptions = {},
): Promise<Inspection> {
  const { places, count } = set;
  const kept = indexFile("inspection", places.root, checksumOfStored(set), checksumOfTimes(places));
  const known = recall(kept, set);
  if (known) return known;
  const widths = new Int32Array(count);
  const heights = new Int32Array(count);
  const damaged: DamagedImage[] = [];
  for (let start = 0; start < count; start += atOnce) {
    signal?.throwIfAborted();
    const indices = Int32Array.from({ length: Math.min(atOnce, count - start) }, (_, i) => start + i);
    const { pixels, outcomes } = await decodeBatch(await encodedImages(places, indices), tiny, {
      threads: torch.getNumThreads(),
    });
    pixels.dispose();
    outcomes.forEach(({ status, problem, width, height }, i) => {
      const index = start + i;
      widths[index] = width;
      heights[index] = height;
      if (status === "changed") throw changedSince(places, index);
      if (status !== "ok") damaged.push({ index, name: nameOf(places, index), status, problem });
    });
    onProgress?.({ done: start + indices.length, total: count, doing: "checking images" });
  }
  // What could not be read for a reason of the moment is looked at again the next time.
  if (!damaged.some(({ status }) => status === "unreadable"))
    saveIndex(kept, { widths, heights }, { damaged: JSON.stringify(damaged) });
  return { widths, heights, damaged };
}

function recall(file: string, { count }: StoredImages): Inspection | undefined {
  const kept = loadIndex(file);
  if (!kept) return undefined;
  const { widths, heights } = kept.columns as { widths: Int32Array; heights: Int32Array };
  if (widths?.length !== count || heights?.length !== count) return undefined;
  return { widths, heights, damaged: JSON.parse(kept.metadata.damaged ?? "[]") as DamagedImage[] };
}
