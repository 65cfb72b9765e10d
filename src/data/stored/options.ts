/** What all sets of images in files have in common: their options, and how their images are prepared. */
import type { ZodType } from "zod";
import type { Z } from "../../packages.js";
import type { DataSpec } from "../define.js";

/** Pixels of an image where nothing else is said, the usual size for ImageNet. */
const usualSize = 224;

/** The options of a set of images in files. */
export interface StoredOptions {
  /** Height and width of an image as a network sees it, in pixels. */
  readonly size: number;
  /** Pixels of an image's shorter side, before its middle is cut out for evaluation. */
  readonly resize: number;
}

/** The schemas of the options that every set of images in files has. */
export const storedOptions = (z: Z): Record<string, ZodType> => ({
  size: z
    .int()
    .min(8)
    .max(1024)
    .exactOptional()
    .describe(
      `Of images in files: height and width as the network sees them, in pixels. Default: ${usualSize}.`,
    ),
  resize: z
    .int()
    .min(8)
    .max(2048)
    .exactOptional()
    .describe(
      "Of images in files: the shorter side in pixels to which an image is resized before its middle is cut out, for " +
        "evaluation. Default: size * 8 / 7, as 256 for 224.",
    ),
});

/** Fills the defaults in. @throws RangeError when the images would be smaller than what is cut out of them */
export function storedOptionsOf({ name, size = usualSize, resize }: DataSpec): StoredOptions {
  const side = (resize as number | undefined) ?? Math.round(((size as number) * 8) / 7);
  if (side < (size as number))
    throw new RangeError(`${name}: resize is ${side}, smaller than size, ${size}: make it at least as large`);
  return { size: size as number, resize: side };
}

/** The mean and standard deviation of ImageNet's channels, by which photographs are normalised everywhere. */
export const photoNormalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** The random changes that keep a photograph's label true. */
export const photoAugment = { crop: false, flip: true, resizedCrop: true } as const;
