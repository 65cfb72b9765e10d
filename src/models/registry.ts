import type { Module } from "../nn/index.js";
import { CifarResNet, type ModelOptions } from "./cifar-resnet.js";
import { DenseNet } from "./densenet.js";
import { type ModelName, modelNames, resnetDepths } from "./names.js";
import { ResNet } from "./resnet.js";

const resnet = (name: keyof typeof resnetDepths) => (options: ModelOptions) =>
  new CifarResNet(resnetDepths[name], options);

export const resnet8 = resnet("resnet8");
export const resnet14 = resnet("resnet14");
export const resnet20 = resnet("resnet20");
export const resnet32 = resnet("resnet32");
export const resnet44 = resnet("resnet44");
export const resnet56 = resnet("resnet56");
export const resnet110 = resnet("resnet110");

/** Every network by name, one line each. */
const registry: Record<ModelName, (options: ModelOptions) => Module> = {
  resnet8,
  resnet14,
  resnet20,
  resnet32,
  resnet44,
  resnet56,
  resnet110,
  "densenet-bc-40-12": (options) => new DenseNet({ ...options, depth: 40, growth: 12 }),
  resnet18: (options) => new ResNet({ ...options, blocks: [2, 2, 2, 2] }),
  resnet34: (options) => new ResNet({ ...options, blocks: [3, 4, 6, 3] }),
};

/**
 * A network by its name, with fresh weights.
 *
 * @throws RangeError that lists the names when there is none of this one
 */
export function createModel(name: string, options: ModelOptions): Module {
  if (!Object.hasOwn(registry, name)) {
    throw new RangeError(`no network is called ${JSON.stringify(name)}; there are ${modelNames.join(", ")}`);
  }
  return registry[name as ModelName](options);
}
