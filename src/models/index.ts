/** Network architectures, one file a family. */
export { CifarResNet, type ModelOptions } from "./cifar-resnet.js";
export { DenseNet, type DenseNetOptions } from "./densenet.js";
export { type ModelName, modelNames } from "./names.js";
export {
  createModel,
  resnet8,
  resnet14,
  resnet20,
  resnet32,
  resnet44,
  resnet56,
  resnet110,
} from "./registry.js";
export { ResNet, type ResNetOptions } from "./resnet.js";
