import { bytesOf, type ImageSet, type StoredImages } from "../data/index.js";
import { sharp } from "../packages.js";

/**
 * Makes a PNG of image i of a set, at the image's own size.
 *
 * @returns the PNG as a data URI
 * @throws RangeError when the images have neither 1 nor 3 channels
 */
export async function pictureOf(set: ImageSet | StoredImages, i: number): Promise<string> {
  const { channels, height, width } = set;
  if (channels !== 1 && channels !== 3) throw new RangeError(`no picture of ${channels} channels`);
  const area = height * width;
  const planes = await bytesOf(set, i);
  const pixels = Uint8Array.from(
    { length: channels * area },
    (_, at) => planes[(at % channels) * area + Math.floor(at / channels)]!,
  );
  const png = await sharp()(pixels, { raw: { width, height, channels } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
