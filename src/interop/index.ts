/** Weights of other programs, in and out. */
export { readClassList } from "./class-list.js";
export { type HuggingFaceConfig, huggingFaceConfig, type InputDescription } from "./huggingface/config.js";
export { type TimmNetwork, timmNetworks } from "./huggingface/networks.js";
export { type HuggingFaceDescription, readHuggingFaceConfig } from "./huggingface/read-config.js";
export { imagenet } from "./imagenet.js";
export { readableClass } from "./imagenet-names.js";
export { fromTimm, timmTableOf, toTimm, withCounts } from "./names/rename.js";
export type { NameTable } from "./names/table.js";
export { exportOnnx, type OnnxOptions } from "./onnx/export.js";
export { OnnxError } from "./onnx/operator.js";
export { loadPyTorch, type PyTorchState } from "./pytorch/load.js";
export {
  EventFile,
  type ExperimentInfo,
  type HistogramCounts,
  type HyperParameter,
  type Picture,
} from "./tensorboard/event-file.js";
export { nameAsTorchvision, readWeightsFile, type WeightsFile } from "./weights-file.js";
