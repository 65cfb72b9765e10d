/** The images that features are taken of: found as a recipe's are, and made into what a network was trained on. */
import {
  type AnyDataset,
  allocateImages,
  type ImageSet,
  isStored,
  Loader,
  loadDataset,
  type MakeOptions,
  type StoredImages,
} from "../data/index.js";
import { zod } from "../packages.js";
import { builtIn, type Library, type RecipeInput, resolveRecipe } from "../recipe/index.js";
import type { WeightsDescription } from "../runs/index.js";
import * as torch from "../torch/index.js";

/** Images as a recipe's `data` names them. */
export type DataInput = RecipeInput["data"];

/** What of a network's training decides how images are prepared for it. */
export type Trained = Pick<WeightsDescription, "channels" | "height" | "width" | "mean" | "std">;

export interface TransferDataOptions extends MakeOptions {
  /** What names in the data can stand for. Default: Lyceum's own sets. */
  library?: Library | undefined;
}

/** A data set, and what was asked for as a recipe's `data`. */
export interface TransferData {
  dataset: AnyDataset;
  spec: Readonly<Record<string, unknown>>;
  /** What a user should know of it, a sentence each. */
  notes: string[];
}

/**
 * Loads a data set for a network: in the size of the images that the network was trained on, where the set can be had in any
 * size and none is asked for.
 *
 * @throws RecipeError when the data are not as a recipe's; DataError when the set is not there or damaged
 */
export async function loadTransferData(
  data: DataInput,
  { height, width, channels }: Trained,
  { library = builtIn, ...making }: TransferDataOptions = {},
): Promise<TransferData> {
  const asked = withSize(data, { height, width }, library);
  // The rest of the recipe has no influence on the images.
  const recipe = resolveRecipe({ data: asked, patriarch: "strict", generations: 1 }, library);
  const { heldOut: _, ...spec } = recipe.data;
  const definition = library.get("dataset", spec.name);
  const dataset = await loadDataset(spec, { ...making, definition });
  const notes = [...(dataset.notes ?? [])];
  const { train } = dataset;
  if (train.height !== height || train.width !== width)
    notes.push(
      `the images have ${train.height} x ${train.width} pixels, the network was trained on ${height} x ${width}: they are ` +
        "taken as they are",
    );
  if (train.channels !== channels)
    notes.push(
      channels === 3
        ? "the images are grey, the network was trained on colours: their one channel serves for all three"
        : "the images have colours, the network was trained on grey: they are made grey by their luminance",
    );
  return { dataset, spec, notes };
}

/** Adds the size of a network's images to data that can be had in any size and do not say which. */
function withSize(
  data: DataInput,
  { height, width }: { height: number; width: number },
  library: Library,
): DataInput {
  const whole = (typeof data === "string" ? { name: data } : data) as Record<string, unknown>;
  const name = "folder" in whole ? "folder" : whole.name;
  const definition = typeof name === "string" ? library.find("dataset", name) : undefined;
  const fits = height === width && height >= 8 && height <= 1024;
  if (!definition?.options || whole.size !== undefined || !fits) return data;
  const hasSize = Object.hasOwn(definition.options(zod().z), "size");
  return (hasSize ? { ...whole, size: height } : data) as DataInput;
}

/** The most values in a batch of images: 32 MiB of float32. */
const VALUES_AT_ONCE = 2 ** 23;

/** A loader of images for a network, and what is still to be done to its batches. */
export interface NetworkInput extends Disposable {
  readonly loader: Loader;
  readonly prepare?: (images: torch.Tensor) => torch.Tensor;
}

/**
 * Makes a loader of a set's images for a network: normalised as in its training, in the set's order, with the channels that the
 * network takes.
 *
 * @throws RangeError for channels other than 1 and 3 that are not the network's
 */
export function inputOf(set: ImageSet | StoredImages, { channels, mean, std }: Trained): NetworkInput {
  const values = set.channels * set.height * set.width;
  const batchSize = Math.max(8, Math.min(256, Math.floor(VALUES_AT_ONCE / values)));
  if (!isStored(set) || set.channels === channels) {
    const images = isStored(set) ? set : withChannels(set, channels);
    return ended(new Loader(images, { batchSize, mean, std }));
  }
  checkChannels(set, channels);
  // Files are decoded in colours: those are made grey in the batch, before it is normalised.
  const loader = new Loader(set, { batchSize, mean: [0, 0, 0], std: [1, 1, 1] });
  return ended(loader, (images) => torch.scope(() => greyOf(images).sub(mean[0]!).div(std[0]!)));
}

const ended = (loader: Loader, prepare?: NetworkInput["prepare"]): NetworkInput => ({
  loader,
  ...(prepare && { prepare }),
  [Symbol.dispose]: () => loader.dispose(),
});

/** The luminance of colours from 0 to 1, in steps of 1 / 255 as bytes have them. @param images [B, 3, H, W] */
function greyOf(images: torch.Tensor): torch.Tensor {
  const weights = torch.tensor([0.299, 0.587, 0.114], { shape: [1, 3, 1, 1] });
  return images.mul(weights).sum([1], true).mul(255).round().div(255).contiguous("channelsLast");
}

function checkChannels(set: ImageSet | StoredImages, channels: number): void {
  const known = [1, 3];
  if (known.includes(set.channels) && known.includes(channels)) return;
  throw new RangeError(
    `${set.name}: its images have ${set.channels} channels, the network takes ${channels}: only grey (1) and colour (3) become ` +
      "each other",
  );
}

/** Makes grey images coloured, by repetition, or coloured ones grey, by their luminance (ITU-R BT.601, as Pillow). */
export function withChannels(set: ImageSet, channels: number): ImageSet {
  if (set.channels === channels) return set;
  checkChannels(set, channels);
  const { count, height, width, images } = set;
  const area = height * width;
  const made = allocateImages(count * channels * area);
  for (let i = 0; i < count; i++) {
    if (channels === 3) {
      const grey = images.subarray(i * area, (i + 1) * area);
      for (let c = 0; c < 3; c++) made.set(grey, (3 * i + c) * area);
      continue;
    }
    for (let p = 0; p < area; p++) {
      const at = 3 * i * area + p;
      const [r, g, b] = [images[at]!, images[at + area]!, images[at + 2 * area]!];
      made[i * area + p] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
    }
  }
  return { ...set, images: made, channels };
}
