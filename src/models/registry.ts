import type { Module } from "../nn/index.js";
import { CifarResNet, type ModelOptions } from "./cifar-resnet.js";
import { nearestName } from "./nearest-name.js";

/** Every network by name, one line each. */
const registry = {
  resnet8: (options) => new CifarResNet(8, options),
  resnet14: (options) => new CifarResNet(14, options),
  resnet20: (options) => new CifarResNet(20, options),
  resnet32: (options) => new CifarResNet(32, options),
  resnet44: (options) => new CifarResNet(44, options),
  resnet56: (options) => new CifarResNet(56, options),
  resnet110: (options) => new CifarResNet(110, options),
} satisfies Record<string, (options: ModelOptions) => Module>;

export type ModelName = keyof typeof registry;

export const modelNames = Object.keys(registry) as ModelName[];

/**
 * A network by its name, with fresh weights.
 *
 * @throws RangeError that names the nearest, and lists all, when there is none of this one
 */
export function createModel(name: string, options: ModelOptions): Module {
  if (!Object.hasOwn(registry, name)) {
    throw new RangeError(
      `no network is called ${JSON.stringify(name)}: did you mean ${nearestName(name, modelNames)}? ` +
        `There are ${modelNames.join(", ")}`,
    );
  }
  return registry[name as ModelName](options);
}

export const { resnet8, resnet14, resnet20, resnet32, resnet44, resnet56, resnet110 } = registry;
