import { measureImages } from "../../nn/cpu/index.js";
import * as torch from "../../torch/index.js";
import { decodePixels, ImageError } from "../decode.js";
import { failed, type ImageOutcome, outcomeNumbers, outcomeOf } from "./outcome.js";
import { type EncodedImages, placeNumbers, placeOf } from "./places.js";

export interface MeasureOptions {
  /** Images of more pixels are refused. Default: 100 million. */
  maxPixels?: number | undefined;
  /** How many threads read. Default: as many as the processor has cores. */
  threads?: number | undefined;
}

/**
 * Finds the sizes of images: of JPEG files without decoding them, of others by decoding.
 *
 * @returns outcomes as of `decodeBatch`, whose boxes mean nothing; damage behind a JPEG file's head is not found
 */
export async function measureBatch(
  images: EncodedImages,
  { maxPixels = 100_000_000, threads = torch.physicalCores() }: MeasureOptions = {},
): Promise<ImageOutcome[]> {
  const count = images.places.length / placeNumbers;
  const tensors = {
    paths: torch.keep(torch.tensor(images.paths)),
    places: torch.keep(torch.tensor(images.places, { shape: [count, placeNumbers] })),
    bytes: images.bytes && torch.keep(torch.tensor(images.bytes)),
  };
  try {
    const numbers = await measureImages({ ...tensors, maxPixels, threads });
    const told = Array.from(numbers.toTypedArray() as BigInt64Array, Number);
    numbers.dispose();
    return await Promise.all(
      Array.from(
        { length: count },
        async (_, i) =>
          outcomeOf(told.slice(outcomeNumbers * i, outcomeNumbers * (i + 1)), maxPixels) ??
          (await measureBySharp(images, i, maxPixels)),
      ),
    );
  } finally {
    for (const tensor of Object.values(tensors)) tensor?.dispose();
  }
}

async function measureBySharp(
  images: EncodedImages,
  index: number,
  maxPixels: number,
): Promise<ImageOutcome> {
  const place = placeOf(images, index);
  const name = "the image";
  try {
    const { height, width } = await decodePixels("bytes" in place ? place.bytes : place, name, { maxPixels });
    return { ...failed("ok", ""), height, width };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return failed(error.problem, error.message.slice(`${name}: `.length));
  }
}
