import type { ImageArguments } from "../../nn/cpu/index.js";
import type { Tensor } from "../../torch/index.js";
import * as torch from "../../torch/index.js";
import { decodePixels, ImageError } from "../decode.js";
import { failed, type ImageOutcome, outcomeNumbers, outcomeOf } from "./outcome.js";
import { type EncodedImages, placeNumbers, placeOf } from "./places.js";

/** What may be said about decoding, whatever the images become. */
export interface DecodeLimits {
  /** Images of more pixels are refused before memory is taken for them. Default: 100 million. */
  maxPixels?: number | undefined;
  /** How many threads decode. Default: as many as the processor has cores. */
  threads?: number | undefined;
}

/** Numbers of an outcome or of several, out of a tensor that is freed. */
export function numbersOf(outcomes: Tensor): number[] {
  const numbers = Array.from(outcomes.toTypedArray() as BigInt64Array, Number);
  outcomes.dispose();
  return numbers;
}

/**
 * Decodes images by an operator that leaves some of them to sharp, and then those.
 *
 * @param run calls the operator; its outcomes are int64 [B, 10]
 * @param finish makes of an image that sharp has decoded, [H, W, 3], what `run` would have made of it at place `index`; it
 *   answers the outcome, int64 [10]
 */
export async function decodeAll(
  images: EncodedImages,
  { maxPixels = 100_000_000, threads = torch.physicalCores() }: DecodeLimits,
  run: (args: ImageArguments) => Promise<Tensor>,
  finish: (image: Tensor, index: number) => Promise<Tensor>,
): Promise<ImageOutcome[]> {
  const count = images.places.length / placeNumbers;
  const tensors = {
    paths: torch.keep(torch.tensor(images.paths)),
    places: torch.keep(torch.tensor(images.places, { shape: [count, placeNumbers] })),
    bytes: images.bytes && torch.keep(torch.tensor(images.bytes)),
  };
  try {
    const numbers = numbersOf(await run({ ...tensors, maxPixels, threads }));
    return await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const own = numbers.slice(outcomeNumbers * i, outcomeNumbers * (i + 1));
        return outcomeOf(own, maxPixels) ?? (await decodeBySharp(images, i, maxPixels, finish));
      }),
    );
  } finally {
    for (const tensor of Object.values(tensors)) tensor?.dispose();
  }
}

async function decodeBySharp(
  images: EncodedImages,
  index: number,
  maxPixels: number,
  finish: (image: Tensor, index: number) => Promise<Tensor>,
): Promise<ImageOutcome> {
  const place = placeOf(images, index);
  const source = "bytes" in place ? place.bytes : place;
  const name = "bytes" in place ? "the image" : String(place.path);
  try {
    const { pixels, height, width } = await decodePixels(source, name, { maxPixels });
    const image = torch.keep(torch.tensor(pixels, { shape: [height, width, 3] }));
    try {
      return outcomeOf(numbersOf(await finish(image, index)), maxPixels)!;
    } finally {
      image.dispose();
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return failed(error.problem, error.message.slice(`${name}: `.length));
  }
}
