/** Network architectures, one file a family. A new network is a file, and a line in the list below. */
import type { Module } from "../nn/index.js";
import { alexNet } from "./alexnet.js";
import { resnet8, resnet14, resnet20, resnet32, resnet44, resnet56, resnet110 } from "./cifar-resnet.js";
import type { ModelDefinition, ModelOptions } from "./define.js";
import { denseNetBc40x12, denseNetBc100x12, denseNetBc190x40 } from "./densenet.js";
import { denseNet121 } from "./image-densenet.js";
import { mobileNetV2 } from "./mobilenet.js";
import { preActResNet18, preActResNet34 } from "./preact-resnet.js";
import { resNeXt50, resnet18, resnet34, resnet50, resnet101, resnet152, wideResNet50x2 } from "./resnet.js";
import { vgg16Bn } from "./vgg.js";
import { wrn16x2, wrn28x10, wrn28x10Dropout, wrn40x2 } from "./wide-resnet.js";

export { AlexNet, type AlexNetOptions, alexNet } from "./alexnet.js";
export {
  CifarResNet,
  resnet8,
  resnet14,
  resnet20,
  resnet32,
  resnet44,
  resnet56,
  resnet110,
} from "./cifar-resnet.js";
export { defineModel, type ModelDefinition, type ModelOptions } from "./define.js";
export {
  DenseNet,
  type DenseNetOptions,
  denseNetBc40x12,
  denseNetBc100x12,
  denseNetBc190x40,
} from "./densenet.js";
export { type Fit, findFits, fitOf, isExact, type Shapes } from "./fit.js";
export { denseNet121, ImageDenseNet, type ImageDenseNetOptions } from "./image-densenet.js";
export { MobileNetV2, type MobileNetV2Options, mobileNetV2 } from "./mobilenet.js";
export {
  PreActResNet,
  type PreActResNetOptions,
  preActResNet18,
  preActResNet34,
} from "./preact-resnet.js";
export {
  type BottleneckOptions,
  ResNet,
  type ResNetOptions,
  resNeXt50,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  wideResNet50x2,
} from "./resnet.js";
export { Vgg, type VggOptions, vgg16Bn } from "./vgg.js";
export {
  WideResNet,
  type WideResNetOptions,
  wrn16x2,
  wrn28x10,
  wrn28x10Dropout,
  wrn40x2,
} from "./wide-resnet.js";

/** Every network that a recipe can name. */
export const models: readonly ModelDefinition[] = [
  ...[resnet8, resnet14, resnet20, resnet32, resnet44, resnet56, resnet110],
  ...[wrn16x2, wrn40x2, wrn28x10, wrn28x10Dropout],
  ...[preActResNet18, preActResNet34],
  ...[denseNetBc40x12, denseNetBc100x12, denseNetBc190x40],
  ...[resnet18, resnet34, resnet50, resnet101, resnet152],
  ...[wideResNet50x2, resNeXt50],
  ...[alexNet, vgg16Bn, denseNet121, mobileNetV2],
];

export const modelNames: readonly string[] = models.map(({ name }) => name);

/**
 * A network by its name, with fresh weights.
 *
 * @throws RangeError that lists the names when there is none of this one
 */
export function createModel(name: string, options: ModelOptions): Module {
  const found = models.find((model) => model.name === name);
  if (!found) {
    throw new RangeError(`no network is called ${JSON.stringify(name)}; there are ${modelNames.join(", ")}`);
  }
  return found.create(options);
}
