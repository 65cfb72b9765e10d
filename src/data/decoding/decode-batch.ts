/**
 * Decodes batches of images to views of one size: JPEG files natively, on threads of their own (`native/image/`); what is
 * another format by its first bytes, or CMYK, by sharp. Both are resized by the same code.
 */
import { decodeImages, viewPixels } from "../../nn/cpu/index.js";
import type { Tensor } from "../../torch/index.js";
import * as torch from "../../torch/index.js";
import { decodePixels, ImageError } from "../decode.js";
import { failed, type ImageOutcome, outcomeNumbers, outcomeOf } from "./outcome.js";
import { type EncodedImages, placeNumbers, placeOf } from "./places.js";
import { type View, viewArguments } from "./view.js";

export interface DecodeBatchOptions {
  /** The numbers that decide the boxes of a random view, [B] ({@link boxKeys}); none for a central one. */
  keys?: BigInt64Array | undefined;
  /** Images of more pixels are refused before memory is taken for them. Default: 100 million. */
  maxPixels?: number | undefined;
  /** How many threads decode. Default: as many as the processor has cores. */
  threads?: number | undefined;
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
  { keys, maxPixels = 100_000_000, threads = torch.physicalCores() }: DecodeBatchOptions = {},
): Promise<DecodedBatch> {
  if ((view.kind === "random") !== (keys !== undefined))
    throw new RangeError("decodeBatch: a random view needs keys, a central one takes none");
  const count = images.places.length / placeNumbers;
  const tensors = {
    paths: torch.keep(torch.tensor(images.paths)),
    places: torch.keep(torch.tensor(images.places, { shape: [count, placeNumbers] })),
    bytes: images.bytes && torch.keep(torch.tensor(images.bytes)),
    keys: keys && torch.keep(torch.tensor(keys)),
  };
  const args = viewArguments(view);
  try {
    const [pixels, numbers] = await decodeImages({ ...tensors, view: args, maxPixels, threads });
    torch.keep(pixels);
    const told = Array.from(numbers.toTypedArray() as BigInt64Array, Number);
    numbers.dispose();
    const native = Array.from({ length: count }, (_, i) =>
      outcomeOf(told.slice(outcomeNumbers * i, outcomeNumbers * (i + 1)), maxPixels),
    );
    const bySharp = (i: number) => decodeBySharp(images, i, keys?.[i], view, maxPixels, pixels);
    const outcomes = await Promise.all(native.map((outcome, i) => outcome ?? bySharp(i)));
    return { pixels, outcomes };
  } finally {
    for (const tensor of Object.values(tensors)) tensor?.dispose();
  }
}

/** Decodes an image by sharp, and writes its view to place `index` of the batch's pixels. */
async function decodeBySharp(
  images: EncodedImages,
  index: number,
  key: bigint | undefined,
  view: View,
  maxPixels: number,
  pixels: Tensor,
): Promise<ImageOutcome> {
  const place = placeOf(images, index);
  const source = "bytes" in place ? place.bytes : place;
  const name = "bytes" in place ? "the image" : place.path;
  try {
    const decoded = await decodePixels(source, name, { maxPixels });
    const { height, width } = decoded;
    const image = torch.keep(torch.tensor(decoded.pixels, { shape: [height, width, 3] }));
    try {
      const [seen, numbers] = await viewPixels(image, key, viewArguments(view));
      torch.scope(() => pixels.select(0, index).copy_(seen));
      const outcome = outcomeOf(Array.from(numbers.toTypedArray() as BigInt64Array, Number), maxPixels)!;
      seen.dispose();
      numbers.dispose();
      return outcome;
    } finally {
      image.dispose();
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return failed(error.problem, error.message.slice(`${name}: `.length));
  }
}
