/** Weights of other programs, in and out. */
export { loadPyTorch, type PyTorchState } from "./pytorch/load.js";
export { readWeightsFile, type WeightsFile } from "./weights-file.js";
