/** Network architectures, one file a family. A new network is a file, and a line in the list below. */
import type { Module } from "../nn/index.js";
import { resnet8, resnet14, resnet20, resnet32, resnet44, resnet56, resnet110 } from "./cifar-resnet.js";
import type { ModelDefinition, ModelOptions } from "./define.js";
import { denseNetBc40x12 } from "./densenet.js";
import { resnet18, resnet34 } from "./resnet.js";

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
export { DenseNet, type DenseNetOptions, denseNetBc40x12 } from "./densenet.js";
export { ResNet, type ResNetOptions, resnet18, resnet34 } from "./resnet.js";

/** Every network that a recipe can name. */
export const models: readonly ModelDefinition[] = [
  ...[resnet8, resnet14, resnet20, resnet32, resnet44, resnet56, resnet110],
  denseNetBc40x12,
  ...[resnet18, resnet34],
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
