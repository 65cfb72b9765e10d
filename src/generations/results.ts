import { type EnsembleOptions, evaluateEnsemble as evaluateMembers } from "../analysis/index.js";
import type { AnyDataset } from "../data/index.js";
import type { EnsembleResult } from "../runs/index.js";
import * as torch from "../torch/index.js";

/**
 * Evaluates an ensemble on the test images.
 *
 * @param members the logits of each member, [N, C], for the test images
 * @param dataset the images, which know the labels and may know superclasses
 * @param options.k how many of an image's best classes count as primary and secondary
 */
export function evaluateEnsemble(
  members: readonly torch.Tensor[],
  { test: { labels }, superclasses }: AnyDataset,
  options: { k: number } & EnsembleOptions,
): EnsembleResult {
  return { test: evaluateMembers(members, labels, { superclasses, ...options }) };
}

/**
 * Reads the logits for the test images that a finished generation left in its folder.
 *
 * @returns [N, C] float32, which the caller disposes of
 * @throws Error that names the file when it is no safetensors file, is damaged, or holds no such tensor
 */
export function loadTestLogits(path: string): torch.Tensor {
  const { logits, ...others } = torch.loadSafetensors(path).tensors;
  for (const tensor of Object.values(others)) tensor?.dispose();
  if (logits?.shape.length !== 2 || logits.dtype !== "float32")
    throw new Error(`${path}: holds no float32 tensor "logits" of shape [N, C]`);
  return logits;
}

/**
 * Reads the labels of the test images, which lie beside the logits so that a report needs no images to judge them.
 *
 * @returns undefined where an earlier version wrote the file
 * @throws Error that names the file when it is damaged, or its labels do not fit its logits
 */
export function loadTestLabels(path: string): Int32Array | undefined {
  const { logits, labels, ...others } = torch.loadSafetensors(path).tensors;
  using _logits = logits;
  using _labels = labels;
  for (const tensor of Object.values(others)) tensor?.dispose();
  if (!labels) return undefined;
  const [images, classes] = logits?.shape ?? [];
  const values =
    labels.dtype === "int32" && labels.shape.length === 1 ? (labels.toTypedArray() as Int32Array) : undefined;
  if (values?.length !== images || !values?.every((label) => label >= 0 && label < classes!))
    throw new Error(`${path}: holds no int32 tensor "labels" with a class for each row of its logits`);
  return values;
}
