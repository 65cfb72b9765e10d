import { foldBatchNorm, type Module } from "../nn/index.js";
import { describeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { type Experiment, freshModel } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { type Normalisation, seeing } from "./normalisation.js";

/**
 * Loads the weights in a safetensors file into a network.
 *
 * @returns the file's metadata
 * @throws Error that names the file when it is damaged, or its tensors are not those of the network
 */
export function loadWeights(model: Module, path: string): Record<string, string> {
  return torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    loadState(model, path, tensors);
    return metadata;
  });
}

/** @throws Error that names the file when its tensors are not those of the network */
export function loadState(
  model: Module,
  path: string,
  tensors: Readonly<Record<string, torch.Tensor>>,
): void {
  try {
    model.loadStateDict(tensors);
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Gives the normalisation that a weights file asks for; undefined where it says nothing of its images. */
export function normalisationIn(
  path: string,
  metadata: Readonly<Record<string, string>>,
): Normalisation | undefined {
  return metadata.format === "lyceum-weights" ? describeWeights(path, metadata) : undefined;
}

/**
 * Makes the network of a finished generation from its stored weights. It takes this experiment's images, also where the
 * weights want other normalised ones.
 *
 * @param options.fold whether it is frozen for good, its batch norms folded. Default: true
 * @returns a network that the caller disposes of
 * @throws Error that names the file when it is damaged, or its tensors are not those of the network
 */
export function recallNetwork(
  experiment: Omit<Experiment, "folder">,
  generation: number,
  path: string,
  { fold = true }: { fold?: boolean } = {},
): Module {
  const model = freshModel(experiment, generation);
  using made = handOver(model);
  const metadata = loadWeights(model, path);
  const network = seeing(model, experiment.images, normalisationIn(path, metadata));
  if (fold) foldBatchNorm(network);
  made.keep();
  return network;
}
