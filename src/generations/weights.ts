import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/**
 * Loads the weights in a safetensors file into a network.
 *
 * @throws Error that names the file when it is damaged, or its tensors are not those of the network
 */
export function loadWeights(model: Module, path: string): void {
  torch.scope(() => {
    const { tensors } = torch.loadSafetensors(path);
    try {
      model.loadStateDict(tensors);
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
  });
}
