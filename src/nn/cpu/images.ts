/** Calls the operators that decode images (`native/image/`). */
import * as torch from "../../torch/index.js";
import { once } from "./build.js";

/** Whether the build decodes JPEG files itself, by libjpeg-turbo. */
export const hasJpeg = once((): boolean => torch.op("lyceum::has_jpeg"));

/** The text of a message of libjpeg's by its number, where it needs no numbers of its own; else "". */
export function jpegMessage(number: number): string {
  return torch.op("lyceum::jpeg_message", number);
}

/** What a view shows of an image, as the operators take it. */
export interface ViewArguments {
  /** The least and greatest area of a random box, fractions of the image's. */
  scale: readonly [number, number];
  /** The least and greatest width over height of a random box. */
  ratio: readonly [number, number];
  /** The shorter side of the image in a view without a random box, in pixels. */
  resize: number;
  height: number;
  width: number;
}

const numbersOf = ({ scale, ratio, resize, height, width }: ViewArguments) => [
  [...scale],
  [...ratio],
  resize,
  height,
  width,
];

/** Encoded images, how large they may be and on how many threads they are decoded. */
export interface ImageArguments {
  /** uint8, the paths of files, each ended by a zero */
  paths: torch.Tensor;
  /**
   * int64 [B, 5]: where the path begins in `paths` (-1: the image lies in `bytes`), offset and length (-1: to the end), and
   * size in bytes and time of change in ms that the whole file must have (-1: any)
   */
  places: torch.Tensor;
  bytes?: torch.Tensor | undefined;
  maxPixels: number;
  threads: number;
}

/** Encoded images, and what to show of them. */
export interface DecodeArguments extends ImageArguments {
  /** int64 [B], the numbers that decide the boxes of a random view */
  keys?: torch.Tensor | undefined;
  /** uint8 [B], 1 for images that are mirrored from left to right; none are when left out */
  mirrored?: torch.Tensor | undefined;
  view: ViewArguments;
}

/**
 * Decodes a batch of JPEG files in the background, on threads of its own.
 *
 * @returns pixels uint8 [B, 3, height, width], and outcomes int64 [B, 10] (`native/image/outcome.h`)
 */
export function decodeImages(args: DecodeArguments): Promise<[torch.Tensor, torch.Tensor]> {
  const { paths, places, bytes, keys, mirrored, view, maxPixels, threads } = args;
  return torch.opAsync(
    "lyceum::decode_images",
    paths,
    places,
    bytes,
    keys,
    ...numbersOf(view),
    maxPixels,
    threads,
    mirrored,
  );
}

/**
 * Makes the view of an image that is decoded already, in the background.
 *
 * @param image uint8 [H, W, 3]
 * @param key decides the box of a random view
 * @returns pixels uint8 [3, height, width], and the outcome, int64 [10]
 */
export function viewPixels(
  image: torch.Tensor,
  key: bigint | undefined,
  mirrored: boolean,
  view: ViewArguments,
): Promise<[torch.Tensor, torch.Tensor]> {
  return torch.opAsync("lyceum::view_pixels", image, key, ...numbersOf(view), mirrored);
}

/**
 * Decodes a batch of JPEG files in the background, and makes images smaller whose shorter side has more than `shorter` pixels.
 *
 * @returns files uint8, records (`native/image/record.h`) one behind the other, empty ones for images that fail; where each ends, int64 [B]; and
 *   outcomes, int64 [B, 10]
 */
export function fitImages(
  { paths, places, bytes, maxPixels, threads }: ImageArguments,
  shorter: number,
): Promise<[torch.Tensor, torch.Tensor, torch.Tensor]> {
  return torch.opAsync("lyceum::fit_images", paths, places, bytes, shorter, maxPixels, threads);
}

/**
 * Makes an image smaller that is decoded already, in the background.
 *
 * @param image uint8 [H, W, 3]
 * @returns a record, uint8, and the outcome, int64 [10]
 */
export function fitPixels(image: torch.Tensor, shorter: number): Promise<[torch.Tensor, torch.Tensor]> {
  return torch.opAsync("lyceum::fit_pixels", image, shorter);
}

/**
 * Draws the boxes of random views.
 *
 * @param keys int64 [B]
 * @param sizes int64 [B, 2], height and width of the images
 * @returns int64 [B, 4]: top, left, height, width
 */
export function randomBoxes(
  keys: torch.Tensor,
  sizes: torch.Tensor,
  { scale, ratio }: Pick<ViewArguments, "scale" | "ratio">,
): torch.Tensor {
  return torch.op("lyceum::random_boxes", keys, sizes, [...scale], [...ratio]);
}
