/** Data sets: their definitions, reading and drawing them, held-out splits, augmentation, and the loader of batches. */
export {
  type AugmentArguments,
  type AugmentOptions,
  augment,
  drawOffsets,
  normalisedValues,
  type ResizedCropOptions,
} from "./augment.js";
export type { BatchPart, Ranks } from "./batch-part.js";
export { bytesOf } from "./bytes-of.js";
export { checkDataset, checkImageSet } from "./check-set.js";
export { checksumOf } from "./checksum.js";
export { DataError } from "./data-error.js";
export { decodeImage, ImageError, type ImageProblem, type ImageSize, imageFormats } from "./decode.js";
export {
  boxKeys,
  type CentralView,
  type DecodeBatchOptions,
  type DecodedBatch,
  type DecodeLimits,
  decodeBatch,
  decodeMiddle,
  type EncodedImages,
  type FittedBatch,
  fitBatch,
  type ImageBox,
  type ImageInFile,
  type ImageOutcome,
  type ImageStatus,
  placesInMemory,
  placesOf,
  type RandomView,
  type View,
} from "./decoding/index.js";
export {
  type DataSpec,
  type DatasetDefinition,
  defaultAugment,
  defineDataset,
  type FileSource,
  type MadeSource,
  type MakeOptions,
} from "./define.js";
export type { DownloadOptions } from "./download.js";
export type { EraseOptions } from "./erase.js";
export { type FetchOptions, fetchDataset } from "./fetch.js";
export {
  type AnyDataset,
  allocateImages,
  type Dataset,
  type ImageList,
  type ImageSet,
  isStored,
  type StoredImages,
  subset,
} from "./image-set.js";
export type { JitterOptions } from "./jitter.js";
export { type LoadOptions, loadDataset } from "./load.js";
export { type Batch, type EpochRange, Loader, type LoaderOptions } from "./loader.js";
export type { Mix, MixingOptions, MixOptions } from "./mix.js";
export { fetchFolder, usualPlaces } from "./places.js";
export { type PolicyChoice, policies } from "./policies/index.js";
export { hash32, RandomSequence, shuffled } from "./random.js";
export { datasetNamed, datasetNames, datasets } from "./sets/index.js";
export { makeSynthetic, type SyntheticOptions } from "./sets/synthetic.js";
export { splitHeldOut, stratifiedSample } from "./split.js";
export { channelStatistics } from "./statistics.js";
export { type BatchPlan, planSteps } from "./steps.js";
export { type CheckReport, checkStored, type PartReport } from "./stored/check-report.js";
export { checksumOfStored, type ImagePlaces, nameOf } from "./stored/places.js";
export { type FileReport, type VerifyReport, verifyDataset } from "./verify.js";
