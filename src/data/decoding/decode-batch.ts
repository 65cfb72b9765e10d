/**
 * Decodes batches of images to views of one size: JPEG files natively, on threads of their own (`native/image/`); what is
 * another format by its first bytes, or CMYK, by sharp. Both are resized by the same code.
 */
import { decodeImages, viewPixels } from "../../nn/cpu/index.js";
import type { Tensor } from "../../torch/index.js";
import * as torch from "../../torch/index.js";
import { type DecodeLimits, decodeAll } from "./native.js";
import type { ImageOutcome } from "./outcome.js";
import type { EncodedImages } from "./places.js";
import { type View, viewArguments } from "./view.js";

export interface DecodeBatchOptions extends DecodeLimits {
  /** The numbers that decide the boxes of a random view, [B] ({@link boxKeys}); none for a central one. */
  keys?: BigInt64Array | undefined;
  /** 1 for images whose view is mirrored from left to right, [B]; none are when left out. */
  mirrored?: Uint8Array | undefined;
}

/** A batch of images. Whoever receives it disposes of the pixels. */
export interface DecodedBatch {
  /** uint8 [B, 3, height, width]; all zero for an image whose status is not "ok" */
  pixels: Tensor;
  /** [B] */
  outcomes: ImageOutcome[];
}

/**
 * Decodes a batch of images in the background.
 *
 * Images are rotated as their EXIF data say, and grey becomes colour. Embedded colour profiles are ignored, except those of
 * CMYK; transparency is laid on black. A central view is to the bit what PIL (9.4) and torchvision's transforms on its images
 * make of a grey or RGB image, for which torchvision leaves the orientation out. A JPEG file of a random view is decoded at
 * 1/2, 1/4 or 1/8 of its size as long as the box covers the view. A file that is damaged, changed or missing has an outcome
 * that says so, and never rejects the promise; of a random view, damage below the box is found only if the file's end is
 * missing.
 *
 * @throws RangeError when `keys` do not fit the view; Error when a number of the view is out of range
 */
export async function decodeBatch(
  images: EncodedImages,
  view: View,
  { keys, mirrored, ...limits }: DecodeBatchOptions = {},
): Promise<DecodedBatch> {
  if ((view.kind === "random") !== (keys !== undefined))
    throw new RangeError("decodeBatch: a random view needs keys, a central one takes none");
  const args = viewArguments(view);
  const choices = {
    keys: keys && torch.keep(torch.tensor(keys)),
    mirrored: mirrored && torch.keep(torch.tensor(mirrored)),
  };
  let pixels: Tensor | undefined;
  try {
    const outcomes = await decodeAll(
      images,
      limits,
      async (encoded) => {
        const [made, numbers] = await decodeImages({ ...encoded, ...choices, view: args });
        pixels = torch.keep(made);
        return numbers;
      },
      async (image, index) => {
        const [seen, numbers] = await viewPixels(image, keys?.[index], mirrored?.[index] === 1, args);
        torch.scope(() => pixels!.select(0, index).copy_(seen));
        seen.dispose();
        return numbers;
      },
    );
    return { pixels: pixels!, outcomes };
  } catch (error) {
    pixels?.dispose();
    throw error;
  } finally {
    for (const tensor of Object.values(choices)) tensor?.dispose();
  }
}
