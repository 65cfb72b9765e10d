import { ImageError } from "../decode.js";
import { decodeBatch } from "./decode-batch.js";
import { placesInMemory, placesOf } from "./places.js";
import type { CentralView } from "./view.js";

/**
 * Decodes one image as networks that were trained on image files see it in evaluation: resized, and its middle cut out.
 *
 * @param image a file's path, or the bytes of one
 * @param name what messages call it; a path's default is the path
 * @returns [3, height, width], row by row
 * @throws ImageError when it is not there, no image, damaged or too large
 */
export async function decodeMiddle(
  image: string | Uint8Array,
  view: Omit<CentralView, "kind">,
  name = typeof image === "string" ? image : "the image",
): Promise<Uint8Array> {
  const encoded = typeof image === "string" ? placesOf([{ path: image }]) : placesInMemory([image]);
  const { pixels, outcomes } = await decodeBatch(encoded, { kind: "central", ...view });
  try {
    const { status, problem } = outcomes[0]!;
    if (status !== "ok") throw new ImageError(`${name}: ${problem}`, status);
    return pixels.toTypedArray() as Uint8Array;
  } finally {
    pixels.dispose();
  }
}
