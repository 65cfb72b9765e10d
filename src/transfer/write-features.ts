import { basename } from "node:path";
import { type Kernels, kernels as processKernels } from "../nn/index.js";
import type { Library } from "../recipe/index.js";
import type { Imports } from "../runs/index.js";
import type { Device } from "../torch/index.js";
import { featureWriter } from "./feature-file.js";
import { featuresOf, type Spatial } from "./features-of.js";
import { findLayer, layerInWords } from "./layer.js";
import { loadNetwork, useKernels } from "./load-network.js";
import { type DataInput, inputOf, loadTransferData } from "./transfer-data.js";

export interface WriteFeaturesOptions {
  /** The images, as a recipe's `data`. */
  data: DataInput;
  /** The part of the set whose features are taken; "all" gives the training images first. Default: "all". */
  part?: "all" | "train" | "test" | undefined;
  /** As for `featuresOf`. */
  layer?: string | undefined;
  /** As for `featuresOf`. */
  spatial?: Spatial | undefined;
  library?: Library | undefined;
  imports?: Imports | undefined;
  device?: Device | undefined;
  /** The kernels that compute the network. Default: those that the process has chosen. */
  kernels?: Kernels | undefined;
  signal?: AbortSignal | undefined;
  /** Told what a user should know of the images, before the first is computed. */
  onNote?: ((note: string) => void) | undefined;
  onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * Writes the features of a data set to a file, `.safetensors` or `.npy`, as they are computed: no more than a few batches are
 * in memory. The file appears whole, or not at all.
 *
 * @param weights the weights file of the network
 * @returns how many images have how many features
 * @throws Error that names the file, the layer or the data that are wrong; the signal's reason when it is aborted
 */
export async function writeFeatures(
  weights: string,
  path: string,
  {
    data,
    part = "all",
    layer,
    spatial = "mean",
    signal,
    onNote,
    onProgress,
    ...options
  }: WriteFeaturesOptions,
): Promise<{ images: number; features: number }> {
  if (!/\.(safetensors|npy)$/.test(path)) throw new RangeError(`${path}: must end in .safetensors or .npy`);
  const { imports = [], device = "cpu", library, kernels = processKernels() } = options;
  using _ = useKernels(kernels);
  using network = loadNetwork(weights, { layer, imports, device });
  const { model, description } = network;
  const found = findLayer(model, layer);
  const { dataset, notes } = await loadTransferData(data, description, { library, signal });
  for (const note of notes) onNote?.(note);
  const parts = part === "all" ? [dataset.train, dataset.test] : [dataset[part]];
  const images = parts.reduce((sum, { count }) => sum + count, 0);
  if (images === 0) throw new Error(`${dataset.name}: there are no images in the part "${part}"`);
  using writer = featureWriter(path, {
    parts,
    classNames: dataset.classNames,
    metadata: {
      format: "lyceum-features",
      formatVersion: "1",
      lyceum: description.lyceum,
      model: description.model,
      generation: String(description.generation),
      weights: basename(weights),
      layer: layerInWords(found),
      spatial,
      trainImages: String(part === "test" ? 0 : dataset.train.count),
    },
  });
  let done = 0;
  let features = 0;
  for (const set of parts) {
    if (set.count === 0) continue;
    using input = inputOf(set, description);
    const { loader, prepare } = input;
    for await (using batch of featuresOf(model, loader, { layer, spatial, device, prepare, signal })) {
      writer.write(batch);
      features = batch.features.shape[1]!;
      done += batch.indices.length;
      onProgress?.(done, images);
    }
  }
  signal?.throwIfAborted();
  writer.finish();
  return { images, features };
}
