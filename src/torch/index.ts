/** Tensors on libtorch: the only door to `native/`. */

export { nativePath } from "./addon.js";
export { enableGrad, type GradOptions, grad, inferenceMode, noGrad } from "./autograd.js";
export { physicalCores } from "./cores.js";
export { fromBuffer, type TensorOptions, tensor } from "./create.js";
export { cudaAvailable, cudaDevice, freeMemory, setCudnn } from "./cuda.js";
export { CudaGraph, hasCudaGraphs, type StepGraph } from "./cuda-graph.js";
export { hasOperator, op, opAsync, operatorNames, schemaOf } from "./dispatch.js";
export * from "./generated/functions.js";
export { Generator } from "./generator.js";
export { hasNccl, hasProcessGroups } from "./process-group.js";
export {
  buildSettings,
  exitAtSecondSignal,
  getNumThreads,
  isa,
  memoryStats,
  setNumThreads,
  version,
} from "./runtime.js";
export {
  copyToBytes,
  loadSafetensors,
  readSafetensorsMetadata,
  type Safetensors,
  SafetensorsWriter,
  saveSafetensors,
  type TensorBytes,
  type TensorPlan,
  verifySafetensors,
} from "./safetensors/index.js";
export { keep, scope, takeHandle } from "./scope.js";
export { isTensor, type NestedNumbers, Tensor } from "./tensor.js";
export {
  type Trace,
  type TracedArgument,
  type TracedCall,
  type TracedTensor,
  TraceError,
  type TraceOptions,
  trace,
} from "./trace.js";
export { type Device, type DType, dtypes, type MemoryFormat, type Scalar, type TypedArray } from "./types.js";
