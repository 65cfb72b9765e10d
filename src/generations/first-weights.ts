import type { Module } from "../nn/index.js";
import { sha256OfFile } from "../sha256.js";
import * as torch from "../torch/index.js";
import { type Experiment, methodOf } from "./experiment.js";
import { loadWeights } from "./weights.js";

/**
 * Loads the weights with which a generation's method has its network begin, where it names any.
 *
 * @throws Error that names the file when it is missing, is not the file that the recipe means, holds the tensors of another
 *   network, or says that its network tells other classes apart
 */
export function loadFirstWeights(
  experiment: Pick<Experiment, "recipe" | "library" | "images">,
  generation: number,
  model: Module,
): void {
  const { method, options } = methodOf(experiment, generation);
  const given = method.weights?.(options);
  if (!given) return;
  const { file, sha256 } = given;
  const found = sha256OfFile(file);
  if (sha256 !== undefined && found !== sha256) {
    throw new Error(
      `${file}: is not the file that the recipe means: its SHA-256 is ${found}, not ${sha256}; give that file, or begin a new run`,
    );
  }
  checkClasses(file, experiment.images.dataset.classNames);
  loadWeights(model, file);
}

/** Compares the classes that a file written by Lyceum names with those of the images; other files name none. */
function checkClasses(file: string, classNames: readonly string[]): void {
  const names = torch.scope(() => torch.loadSafetensors(file).metadata).classNames;
  if (names === undefined || names === JSON.stringify(classNames)) return;
  throw new Error(`${file}: its network tells other classes apart than the images have, or in another order`);
}
