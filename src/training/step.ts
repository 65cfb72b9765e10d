import type { Module } from "../nn/index.js";
import { type AveragedWeights, clipGradients, type GradScaler, type Optimizer } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import type { Meter } from "./meter.js";
import type { Objective } from "./objective.js";

/** The network that a step trains, and everything that the step trains it by. */
export interface Learner {
  model: Module;
  optimizer: Optimizer;
  objective: Objective;
  /** Where the model is; batches are brought there. Default: the CPU. */
  device?: torch.Device;
  /**
   * What activations are computed and kept in. Weights, statistics, losses and updates are float32 in any case.
   * Default: float32.
   */
  precision?: Precision;
  /** Keeps small gradients of float16 from becoming zero. */
  scaler?: GradScaler | undefined;
  /** The largest norm that all gradients together may have. Default: any. */
  clipNorm?: number | undefined;
  /** The running average of the weights, which is updated after each step. Default: none is kept. */
  averaged?: AveragedWeights | undefined;
}

export type Precision = "float32" | "bfloat16" | "float16";

/** Images [N, channels, H, W] and labels [N] int64. */
export interface TrainingBatch {
  images: torch.Tensor;
  labels: torch.Tensor;
}

/** One step of gradient descent. Holds no memory afterwards but the parameters' gradients. */
export function trainStep(learner: Learner, batch: TrainingBatch, meter?: Meter): void {
  descend(learner, batch, meter);
  meter?.addImages(batch.labels.shape[0]!);
}

/** All of a step that tensors do: nothing in it waits for the device, so that it can be captured. */
export function descend(
  { model, optimizer, objective, device = "cpu", precision = "float32", scaler, clipNorm }: Learner,
  batch: TrainingBatch,
  meter?: Meter,
): void {
  torch.scope(() => {
    const given = batch.images.to({ device });
    // Images in float64 stay so: that is for tests.
    const images = precision === "float32" ? given : given.to({ dtype: precision });
    const labels = batch.labels.to({ device });
    optimizer.zeroGrad();
    const logits = asFloat(model.forward(images));
    const losses = objective.losses(logits, labels, images);
    if (scaler) {
      scaler.scale(losses.loss).backward();
      scaler.step(optimizer, { clipNorm });
    } else {
      losses.loss.backward();
      if (clipNorm !== undefined) clipGradients(optimizer.gradients(), clipNorm);
      optimizer.step();
    }
    meter?.addSums(logits, labels, losses);
  });
}
