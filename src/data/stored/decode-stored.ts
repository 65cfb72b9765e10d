import * as torch from "../../torch/index.js";
import { decodeImage } from "../decode.js";
import type { StoredImages } from "../image-set.js";
import { nameOf } from "./places.js";

/** The boxes that are cut out of the images of a batch. */
export interface BoxDraw {
  readonly area: readonly [number, number];
  readonly aspect: readonly [number, number];
  /** A number for each image that decides its box. */
  readonly keys: readonly number[];
}

export async function decodeStored(
  set: StoredImages,
  indices: Int32Array,
  _box?: BoxDraw,
): Promise<torch.Tensor> {
  const { channels, height, width } = set;
  const images = await Promise.all(
    Array.from(indices, (i) => decodeImage(nameOf(set.places, i), { channels, height, width })),
  );
  const bytes = new Uint8Array(indices.length * channels * height * width);
  images.forEach((image, i) => {
    bytes.set(image, i * image.length);
  });
  return torch.keep(torch.tensor(bytes, { shape: [indices.length, channels, height, width] }));
}
