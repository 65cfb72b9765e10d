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

/** Encoded images, and how to decode them. */
export interface DecodeArguments {
  /** uint8, the paths of files, each ended by a zero */
  paths: torch.Tensor;
  /**
   * int64 [B, 5]: where the path begins in `paths` (-1: the image lies in `bytes`), offset and length (-1: to the end), and
   * size in bytes and time of change in ms that the whole file must have (-1: any)
   */
  places: torch.Tensor;
  bytes?: torch.Tensor | undefined;
  /** int64 [B], the numbers that decide the boxes of a random view */
  keys?: torch.Tensor | undefined;
  view: ViewArguments;
  maxPixels: number;
  threads: number;
}

/**
 * Decodes a batch of JPEG files in the background, on threads of its own.
 *
 * @returns pixels uint8 [B, 3, height, width], and outcomes int64 [B, 10] (`native/image/outcome.h`)
 */
export function decodeImages(args: DecodeArguments): Promise<[torch.Tensor, torch.Tensor]> {
  const { paths, places, bytes, keys, view, maxPixels, threads } = args;
  return torch.opAsync(
    "lyceum::decode_images",
    paths,
    places,
    bytes,
    keys,
    ...numbersOf(view),
    maxPixels,
    threads,
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
  view: ViewArguments,
): Promise<[torch.Tensor, torch.Tensor]> {
  return torch.opAsync("lyceum::view_pixels", image, key, ...numbersOf(view));
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

/**
 * Reads what stands before the pixels of JPEG files, in the background.
 *
 * @returns outcomes, int64 [B, 10], as of {@link decodeImages}
 */
export function measureImages({
  paths,
  places,
  bytes,
  maxPixels,
  threads,
}: Omit<DecodeArguments, "keys" | "view">): Promise<torch.Tensor> {
  return torch.opAsync("lyceum::measure_images", paths, places, bytes, maxPixels, threads);
}

/**
 * Makes a record of pixels, which {@link decodeImages} takes for an image and whose damage it finds.
 *
 * @param pixels uint8 [3, H, W]
 * @returns uint8
 */
export function packRecord(pixels: torch.Tensor): torch.Tensor {
  return torch.op("lyceum::pack_record", pixels);
}
