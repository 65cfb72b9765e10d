/** Files of tensors in the safetensors format: https://github.com/huggingface/safetensors */
export { loadSafetensors, readSafetensorsMetadata, type Safetensors, verifySafetensors } from "./load.js";
export { copyToBytes, saveSafetensors, type TensorBytes } from "./save.js";
export { SafetensorsWriter, type TensorPlan } from "./writer.js";
