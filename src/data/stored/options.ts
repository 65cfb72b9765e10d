/** What all sets of images in files have in common: their options, and how their images are prepared. */
import type { ZodType } from "zod";
import type { Z } from "../../packages.js";
import type { DataSpec } from "../define.js";
import type { StoredImages } from "../image-set.js";

/** Pixels of an image where nothing else is said, the usual size for ImageNet. */
const usualSize = 224;

/** What the option `size` means, of drawn images too. */
export const sizeMeaning =
  "Of the synthetic set and of images in files: height and width in pixels, as the network sees them. Default: 32, or 224 for files.";

/** The schemas of the options that every set of images in files has. */
export const storedOptions = (z: Z): Record<string, ZodType> => ({
  size: z.int().min(8).max(1024).exactOptional().describe(sizeMeaning),
  damaged: z
    .enum(["fail", "skip"])
    .exactOptional()
    .describe(
      "Of images in files: what to do about one that cannot be decoded. fail stops the training at it; skip decodes all images " +
        "before the training begins, names those that cannot be and leaves them out. Default: fail.",
    ),
  cache: z
    .union([z.literal(true), z.string().min(1)])
    .exactOptional()
    .describe(
      "Of images in files: decode and downsize all images once, into a file that later epochs and runs read, for machines with few " +
        "cores; true, or the folder that holds the file. Random boxes are cut out of the downsized images. Default: none.",
    ),
  cacheSide: z
    .int()
    .min(8)
    .max(2048)
    .exactOptional()
    .describe("Of images in files: the shorter side of cached images, in pixels. Default: resize."),
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

/**
 * Makes a set of images in files, of the sizes that a spec asks for.
 *
 * @throws RangeError when the images would be smaller than what is cut out of them
 */
export function storedImages(
  { name, size = usualSize, resize: side }: DataSpec,
  part: Pick<StoredImages, "name" | "places" | "labels" | "classNames">,
): StoredImages {
  const pixels = size as number;
  const resize = (side as number | undefined) ?? Math.round((pixels * 8) / 7);
  if (resize < pixels)
    throw new RangeError(
      `${name}: resize is ${resize}, smaller than size, ${pixels}: make it at least as large`,
    );
  const { places, labels, classNames } = part;
  const shape = { channels: 3, height: pixels, width: pixels, resize };
  return { name: part.name, places, labels, classNames, count: labels.length, ...shape };
}

/** The mean and standard deviation of ImageNet's channels, by which photographs are normalised everywhere. */
export const photoNormalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** The random changes that keep a photograph's label true. */
export const photoAugment = { crop: false, flip: true, resizedCrop: true } as const;
