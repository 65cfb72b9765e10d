/** Data sets in memory, held-out splits, augmentation and batches. */
export {
  type AugmentArguments,
  type AugmentOptions,
  augment,
  drawOffsets,
  normalisedValues,
} from "./augment.js";
export { checkImageSet } from "./check-set.js";
export { DataError } from "./data-error.js";
export { decodeImage, ImageError, type ImageSize, imageFormats } from "./decode.js";
export type { DownloadOptions } from "./download.js";
export { type FetchOptions, fetchDataset } from "./fetch.js";
export { allocateImages, type Dataset, type ImageSet, subset } from "./image-set.js";
export { loadDataset } from "./load.js";
export { type Batch, Loader, type LoaderOptions } from "./loader.js";
export { fetchFolder, usualPlaces } from "./places.js";
export { hash32, RandomSequence, shuffled } from "./random.js";
export { datasetNames, datasets } from "./sets/index.js";
export { makeSynthetic, type SyntheticOptions } from "./sets/synthetic.js";
export type { DataSpec, DatasetSource } from "./source.js";
export { splitHeldOut, stratifiedSample } from "./split.js";
export { channelStatistics } from "./statistics.js";
export { type FileReport, type VerifyReport, verifyDataset } from "./verify.js";
