import * as torch from "../../torch/index.js";

/** What else is done to the images of a batch, each in its turn. */
export interface AugmentExtras {
  /** int32 [B, n], the codes of n operations on the bytes of each image, before it is cropped */
  operations?: torch.Tensor | undefined;
  /** float64 [B, n], how strong the operations are */
  magnitudes?: torch.Tensor | undefined;
  /** int32 [B, 5], the rectangles to erase after normalisation: top, left, height, width, and the seed of the noise */
  erasures?: torch.Tensor | undefined;
  /** Whether rectangles become random bytes, normalised, rather than zeros. */
  noise?: boolean | undefined;
}

/**
 * Crops, mirrors and normalises a batch of bytes in one pass, on a background thread.
 *
 * @param images uint8 [N, C, H, W]
 * @param indices int64 [B], the images of the batch
 * @param offsets int32 [B, 3]: rows, columns, and whether to mirror
 * @param pad rows and columns of black around an image
 * @returns float32 [B, C, H, W], channels-last
 */
export function augmentInOnePass(
  images: torch.Tensor,
  indices: torch.Tensor,
  offsets: torch.Tensor,
  pad: number,
  mean: readonly number[],
  std: readonly number[],
  { operations, magnitudes, erasures, noise = false }: AugmentExtras = {},
): Promise<torch.Tensor> {
  return torch.opAsync(
    "lyceum::augment",
    images,
    indices,
    offsets,
    pad,
    [...mean],
    [...std],
    erasures,
    noise,
    operations,
    magnitudes,
  );
}
