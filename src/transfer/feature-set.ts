import type { Loader } from "../data/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { type FeatureOptions, featuresOf } from "./features-of.js";

/** Features with their labels, in memory. */
export interface FeatureSet {
  /** float32 or float64 [N, D] */
  readonly features: torch.Tensor;
  /** [N] */
  readonly labels: Int32Array;
}

/**
 * Takes the features of all of a loader's images, as {@link featuresOf} does, into memory.
 *
 * @param options.onProgress called after each batch with the number of images that are done
 * @returns features that belong to the caller
 */
export async function collectFeatures(
  model: Module,
  loader: Loader,
  { onProgress, ...options }: FeatureOptions & { onProgress?: ((done: number) => void) | undefined } = {},
): Promise<FeatureSet> {
  const labels = new Int32Array(loader.size);
  let features: torch.Tensor | undefined;
  let done = 0;
  try {
    for await (const batch of featuresOf(model, loader, options)) {
      using rows = batch.features;
      const [count = 0, width = 0] = rows.shape;
      features ??= torch.keep(torch.empty([loader.size, width]));
      labels.set(batch.labels, done);
      torch.scope(() => features!.narrow(0, done, count).copy_(rows));
      done += count;
      onProgress?.(done);
    }
    if (!features) throw new RangeError("there are no images to take features of");
    return { features, labels };
  } catch (error) {
    features?.dispose();
    throw error;
  }
}

/** Copies rows of features, in the order of `indices`; they belong to the current `torch.scope`. */
export function rows({ features, labels }: FeatureSet, indices: Int32Array): FeatureSet {
  return {
    features: torch.scope(() => features.indexSelect(0, torch.tensor(indices, { dtype: "int64" }))),
    labels: indices.map((index) => labels[index]!),
  };
}

/** The labels as a tensor, int64 [N]. */
export function labelTensor(labels: Int32Array): torch.Tensor {
  return torch.tensor(labels, { dtype: "int64" });
}
