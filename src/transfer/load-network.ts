import { foldBatchNorm, type Kernels, kernels, type Module, setKernels } from "../nn/index.js";
import { buildNetwork, type Imports, readWeights, type WeightsDescription } from "../runs/index.js";
import type { Device } from "../torch/index.js";
import { isFoldedAway } from "./layer.js";

/** A trained network with what its file says of it. */
export interface Network {
  readonly model: Module;
  readonly description: WeightsDescription;
  [Symbol.dispose](): void;
}

/** Computes networks by the kernels that a run was trained with, for the whole process, until this is disposed. */
export function useKernels(chosen: Kernels): Disposable {
  const before = kernels();
  setKernels(chosen);
  return { [Symbol.dispose]: () => setKernels(before) };
}

/**
 * Loads a trained network to take features of it. Batch norms are folded, which makes it faster, unless the layer that is asked
 * for would then have no result of its own.
 *
 * @param path a weights file that Lyceum wrote
 * @throws Error that names the file and what is wrong with it
 */
export function loadNetwork(
  path: string,
  {
    layer,
    imports = [],
    device = "cpu",
  }: { layer?: string | undefined; imports?: Imports; device?: Device } = {},
): Network {
  const { tensors, description } = readWeights(path);
  let model: Module | undefined;
  try {
    model = buildNetwork(description, { imports }).to({ device, memoryFormat: "channelsLast" });
    model.loadStateDict(tensors);
    model.eval().requiresGrad_(false);
    if (layer === undefined || !isFoldedAway(model, layer)) foldBatchNorm(model);
    const loaded = model;
    return { model: loaded, description, [Symbol.dispose]: () => loaded.dispose() };
  } catch (cause) {
    model?.dispose();
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
