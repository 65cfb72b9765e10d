import { fitImages, fitPixels } from "../../nn/cpu/index.js";
import { type DecodeLimits, decodeAll } from "./native.js";
import type { ImageOutcome } from "./outcome.js";
import type { EncodedImages } from "./places.js";

/** Images that are decoded and made small enough to be kept. */
export interface FittedBatch {
  /**
   * An image file each, not compressed and with a checksum (`native/image/record.h`), which `decodeBatch` takes as any other;
   * empty where the status is not "ok". [B]
   */
  files: Uint8Array[];
  /** [B] */
  outcomes: ImageOutcome[];
}

/**
 * Decodes a batch of images in the background as `decodeBatch` does, and keeps them whole: an image whose shorter side has
 * more than `shorter` pixels is resized to it (torchvision's `Resize`). A central view of the result that is resized to
 * `shorter` is the same as one of the image itself.
 *
 * @throws Error when `shorter` is out of range
 */
export async function fitBatch(
  images: EncodedImages,
  shorter: number,
  limits: DecodeLimits = {},
): Promise<FittedBatch> {
  let files: Uint8Array[] = [];
  const outcomes = await decodeAll(
    images,
    limits,
    async (encoded) => {
      const [joined, ends, numbers] = await fitImages(encoded, shorter);
      const bytes = joined.toTypedArray() as Uint8Array;
      const stops = Array.from(ends.toTypedArray() as BigInt64Array, Number);
      joined.dispose();
      ends.dispose();
      files = stops.map((end, i) => bytes.subarray(i === 0 ? 0 : stops[i - 1], end));
      return numbers;
    },
    async (image, index) => {
      const [file, numbers] = await fitPixels(image, shorter);
      files[index] = file.toTypedArray() as Uint8Array;
      file.dispose();
      return numbers;
    },
  );
  return { files, outcomes };
}
