/** Layers, and what they are made of. */
export { type AfterNorm, BatchNorm2d } from "./batch-norm2d.js";
export { blocked, channelsOf, eachBlock, isBlocked } from "./blocked.js";
export { Conv2d, type Conv2dOptions } from "./conv2d.js";
export { foldBatchNorm } from "./fold-batch-norm.js";
export { FoldedConvolution } from "./folded-convolution.js";
export { kaimingNormalFanOut, uniformFanIn } from "./init.js";
export { type Kernels, kernels, setKernels } from "./kernels.js";
export { AvgPool2d, Flatten, GlobalAvgPool, Identity, MaxPool2d, ReLU } from "./layers.js";
export { Linear } from "./linear.js";
export { Module, type Placement } from "./module.js";
export { Parameter } from "./parameter.js";
export { hasAmx } from "./prepared.js";
export { type ResidualBlock, type ResidualLayers, residualBlock } from "./residual-block.js";
export { ResidualStage } from "./residual-stage.js";
export { Sequential } from "./sequential.js";
