import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/**
 * Puts a file's tensors into a network.
 *
 * @throws Error naming the file when its tensors are not those of the network
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
