import { ensembleLogits, evaluateLogits } from "../analysis/index.js";
import type { EnsembleResult } from "../runs/index.js";
import * as torch from "../torch/index.js";

/**
 * Evaluates an ensemble, whose scores are the mean of its members' softmax.
 *
 * @param members the logits of each member, [N, C], for the same images
 * @param labels N labels, each in 0..C-1
 * @param k how many of an image's best classes count as primary and secondary
 */
export function evaluateEnsemble(
  members: readonly torch.Tensor[],
  labels: Int32Array,
  k: number,
): EnsembleResult {
  return { test: evaluateLogits(ensembleLogits(members), labels, { k }) };
}

/**
 * Reads the logits for the test images that a finished generation left in its folder.
 *
 * @returns [N, C] float32, which the caller disposes of
 * @throws Error that names the file when it is no safetensors file, is damaged, or holds no such tensor
 */
export function loadTestLogits(path: string): torch.Tensor {
  const { logits } = torch.loadSafetensors(path).tensors;
  if (logits?.shape.length !== 2 || logits.dtype !== "float32")
    throw new Error(`${path}: holds no float32 tensor "logits" of shape [N, C]`);
  return logits;
}
