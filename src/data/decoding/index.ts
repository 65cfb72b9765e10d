/** Encoded images to batches of bytes: where they lie, what is shown of them, decoding, and what became of each. */
export { type DecodeBatchOptions, type DecodedBatch, decodeBatch } from "./decode-batch.js";
export { decodeMiddle } from "./decode-middle.js";
export { type FittedBatch, fitBatch } from "./fit-batch.js";
export { boxKeys } from "./keys.js";
export type { DecodeLimits } from "./native.js";
export type { ImageBox, ImageOutcome, ImageStatus } from "./outcome.js";
export { type EncodedImages, type ImageInFile, placesInMemory, placesOf } from "./places.js";
export type { CentralView, RandomView, View } from "./view.js";
