import type { Loader } from "../data/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { nextTurn } from "./next-turn.js";

/** A network's answers for a whole set. */
export interface Answers {
  /** [N, C] float32, on the CPU */
  logits: torch.Tensor;
  /** N labels, in the order of the rows. */
  labels: Int32Array;
}

/**
 * Runs a network over a loader's images, in evaluation mode and without gradients. Afterwards every part has its
 * mode back.
 *
 * @param loader unshuffled, so that the rows of `logits` stand in the set's order
 */
export async function answer(
  model: Module,
  loader: Loader,
  { device = "cpu", signal }: { device?: torch.Device; signal?: AbortSignal | undefined } = {},
): Promise<Answers> {
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  model.eval();
  const parts: torch.Tensor[] = [];
  const labels: number[] = [];
  try {
    for await (const batch of loader.epoch(0)) {
      const logits = torch.scope(() =>
        torch.noGrad(() =>
          model.forward(batch.images.to({ device })).to({ device: "cpu", dtype: "float32" }),
        ),
      );
      parts.push(logits);
      for (const label of batch.labels.toTypedArray()) labels.push(Number(label));
      batch.dispose();
      await nextTurn();
      signal?.throwIfAborted();
    }
    return { logits: torch.cat(parts), labels: Int32Array.from(labels) };
  } finally {
    for (const part of parts) part.dispose();
    for (const [module, mode] of modes) module.training = mode;
  }
}
