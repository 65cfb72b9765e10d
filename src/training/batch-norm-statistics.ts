import type { Loader } from "../data/index.js";
import { BatchNorm2d, type Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { nextTurn } from "./next-turn.js";

/**
 * Computes the statistics of a network's batch norms anew, which after an averaging of weights are no longer those of the
 * network: each becomes the equal mean of those of all batches of one epoch (Izmailov et al. 2018, section 3.2; as
 * torch.optim.swa_utils.update_bn). All other modules are in evaluation mode, so that the statistics are those of the
 * activations with which the network will answer: dropout is off, which update_bn leaves on. Weights stay as they are; a
 * network without batch norms stays as it is altogether.
 *
 * @param options.epoch the loader's epoch that is gone through: its order and what is drawn for its images
 * @param options.device the device of the network; default: the CPU
 */
export async function recomputeStatistics(
  model: Module,
  loader: Loader,
  { epoch, device = "cpu" }: { epoch: number; device?: torch.Device },
): Promise<void> {
  const modules = [...new Set(model.namedModules().values())];
  const norms = modules.filter((module) => module instanceof BatchNorm2d);
  if (norms.length === 0) return;
  const modes = modules.map((module) => [module, module.training] as const);
  const momenta = norms.map((norm) => [norm, norm.momentum] as const);
  try {
    model.eval();
    for (const norm of norms) norm.train();
    torch.noGrad(() => {
      for (const { numBatchesTracked } of norms) numBatchesTracked.zero_();
    });
    for await (const batch of loader.epoch(epoch)) {
      // The first batch replaces what was there; each later one moves the mean by its share.
      for (const norm of norms) norm.momentum = 1 / (batch.step + 1);
      try {
        torch.scope(() => torch.noGrad(() => model.forward(batch.images.to({ device }))));
      } finally {
        batch.dispose();
      }
      await nextTurn();
    }
  } finally {
    for (const [norm, momentum] of momenta) norm.momentum = momentum;
    for (const [module, mode] of modes) module.training = mode;
  }
}
