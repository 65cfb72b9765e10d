import type { Module } from "../nn/index.js";
import type { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import type { Meter } from "./meter.js";
import type { Objective } from "./objective.js";

/** What a step trains, and by what. */
export interface Learner {
  model: Module;
  optimizer: SGD;
  objective: Objective;
  /** Where the model is; batches are brought there. Default: the CPU. */
  device?: torch.Device;
  /**
   * What activations are computed and kept in. Weights, statistics, losses and updates are float32 in any case.
   * Default: float32.
   */
  precision?: Precision;
}

export type Precision = "float32" | "bfloat16";

/**
 * One step of gradient descent. Holds no memory afterwards but the parameters' gradients.
 *
 * @param batch images [N, channels, H, W] and labels [N] int64
 */
export function trainStep(
  { model, optimizer, objective, device = "cpu", precision }: Learner,
  batch: { images: torch.Tensor; labels: torch.Tensor },
  meter?: Meter,
): void {
  torch.scope(() => {
    const given = batch.images.to({ device });
    const images = precision === "bfloat16" ? given.to({ dtype: "bfloat16" }) : given;
    const labels = batch.labels.to({ device });
    optimizer.zeroGrad();
    const logits = asFloat(model.forward(images));
    const losses = objective(logits, labels, images);
    losses.loss.backward();
    optimizer.step();
    meter?.add(logits, labels, losses);
  });
}
