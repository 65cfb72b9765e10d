/** Layers, and what they are made of. */
export { BasicBlock, type BasicBlockLayers } from "./basic-block.js";
export { BatchNorm2d, type Epilogue } from "./batch-norm2d.js";
export { Bottleneck, type BottleneckLayers } from "./bottleneck.js";
export { Conv2d, type Conv2dOptions } from "./conv2d.js";
export { hasAmx } from "./cpu/build.js";
export { DenseBlock } from "./dense-block.js";
export { DenseLayer, type DenseLayers } from "./dense-layer.js";
export { DenseTransition } from "./dense-transition.js";
export { Dropout, dropout, type RowsOfBatch } from "./dropout.js";
export { checkBatchNormPairs, type FoldingOptions, foldBatchNorm } from "./fold-batch-norm.js";
export { DeferredConvolution, FoldedConvolution, FoldingError } from "./folded-convolution.js";
export {
  kaimingNormalFanIn,
  kaimingNormalFanOut,
  normal,
  uniformFanIn,
  withoutInitialisation,
} from "./init.js";
export { type Kernels, kernels, setKernels } from "./kernels.js";
export {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Flatten,
  GlobalAvgPool,
  Identity,
  MaxPool2d,
  ReLU,
  ReLU6,
} from "./layers.js";
export { Linear } from "./linear.js";
export { Module, type Placement } from "./module.js";
export { OptionAShortcut } from "./option-a-shortcut.js";
export { Parameter } from "./parameter.js";
export { ResidualStage } from "./residual-stage.js";
export { applyInOrder, Sequential } from "./sequential.js";
export { synchroniseBatchNorm } from "./sync-batch-norm.js";
export { type Seen, watch } from "./watch.js";
