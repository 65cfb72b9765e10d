import type { Loader } from "../data/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { gatherPredictions } from "./gather-predictions.js";
import { nextTurn } from "./next-turn.js";
import type { Ranks } from "./ranks.js";

/** The predictions of a network for a whole set of images. */
export interface Predictions {
  /** One row of logits for each image, [N, C] float32, on the CPU. */
  logits: torch.Tensor;
  /** The labels of the images, N of them, in the order of the rows. */
  labels: Int32Array;
}

/**
 * Runs a network over a loader's images, in evaluation mode and without gradients. Afterwards every module is
 * in the mode in which it was before.
 *
 * @param loader a loader that does not shuffle, so that the rows of `logits` stand in the set's order
 * @param options.ranks processes that all call this with the same network: each predicts some of the batches, and all are given
 *   the predictions of all images. These are those of one process to the last bit, since batches are not divided.
 * @throws whatever `signal` was aborted with
 */
export async function predict(
  model: Module,
  loader: Loader,
  {
    device = "cpu",
    signal,
    ranks,
  }: { device?: torch.Device; signal?: AbortSignal | undefined; ranks?: Ranks | undefined } = {},
): Promise<Predictions> {
  const share = ranks && { startStep: Math.min(ranks.rank, loader.stepsPerEpoch), every: ranks.size };
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  model.eval();
  const parts: torch.Tensor[] = [];
  const labels: torch.Tensor[] = [];
  try {
    for await (const batch of loader.epoch(0, share)) {
      labels.push(batch.labels);
      try {
        // Nothing is read before the end, so that no batch waits for a device.
        const logits = torch.scope(() =>
          torch.noGrad(() => model.forward(batch.images.to({ device })).to({ dtype: "float32" })),
        );
        parts.push(torch.keep(logits));
      } finally {
        batch.images.dispose();
      }
      await nextTurn();
      signal?.throwIfAborted();
    }
    if (ranks) return await gatherPredictions(ranks, loader, parts, labels);
    return torch.scope(() => ({
      logits: torch.cat(parts).to({ device: "cpu" }),
      labels: Int32Array.from(torch.cat(labels).toTypedArray(), Number),
    }));
  } finally {
    for (const part of [...parts, ...labels]) part.dispose();
    for (const [module, mode] of modes) module.training = mode;
  }
}
