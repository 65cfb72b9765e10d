import type { ModelOptions } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { Generator } from "../torch/index.js";
import { type Imports, libraryOf } from "./imports.js";
import type { WeightsDescription } from "./weights.js";

/**
 * Makes the network that a weights file describes. Its weights are fresh, for the file's to replace.
 *
 * @param options.model makes the network, where it is one of a program's own
 * @param options.imports what the network's name can stand for beside Lyceum's own networks
 * @throws Error that names the network when nothing defines it
 */
export function buildNetwork(
  { model, classNames, channels, height, width }: WeightsDescription,
  {
    model: factory,
    imports = [],
  }: { model?: ((options: ModelOptions) => Module) | undefined; imports?: Imports } = {},
): Module {
  const create = factory ?? libraryOf(imports).find("model", model)?.create;
  if (!create) {
    throw new Error(
      `the network ${JSON.stringify(model.slice(0, 100))} is none of Lyceum's own: give the file that defines it by ` +
        "--import, or, in code, the function that makes it as `model`",
    );
  }
  // The seed has no influence: the stored weights replace those that are drawn.
  return create({ classes: classNames.length, channels, height, width, generator: new Generator(0) });
}
