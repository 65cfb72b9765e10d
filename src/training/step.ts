import type { Mix } from "../data/index.js";
import type { Module } from "../nn/index.js";
import { type AveragedWeights, clipGradients, type GradScaler, type Optimizer } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import type { Meter } from "./meter.js";
import type { Objective } from "./objective.js";

/** The network that a step trains, and everything that the step trains it with. */
export interface Learner {
  model: Module;
  optimizer: Optimizer;
  objective: Objective;
  /** The device of the model, to which batches are brought. Default: the CPU. */
  device?: torch.Device;
  /**
   * The dtype in which activations are computed and kept. Weights, statistics, losses and updates are float32
   * in any case. Default: float32.
   */
  precision?: Precision;
  /** Scales the loss, which keeps small gradients in float16 from becoming zero. Default: no scaling. */
  scaler?: GradScaler | undefined;
  /** The largest Euclidean norm that all gradients together may have. Default: gradients are not clipped. */
  clipNorm?: number | undefined;
  /** The running average of the weights, which is updated after each step. Default: none is kept. */
  averaged?: AveragedWeights | undefined;
}

export type Precision = "float32" | "bfloat16" | "float16";

/** A batch of images [N, channels, H, W] and their labels [N] int64. */
export interface TrainingBatch {
  images: torch.Tensor;
  labels: torch.Tensor;
  /** The other labels of mixed images. */
  mix?: Mix;
}

/**
 * Takes one step of gradient descent. All tensors that it makes are freed at its end, except the parameters'
 * gradients.
 *
 * @param meter adds up the losses and the correct predictions, where it is given
 */
export function trainStep(learner: Learner, batch: TrainingBatch, meter?: Meter): void {
  descend(learner, batch, meter);
  meter?.addImages(batch.labels.shape[0]!);
}

/**
 * Does the part of a step that tensors compute. Nothing in it waits for the device, so that it can be
 * recorded.
 */
export function descend(
  { model, optimizer, objective, device = "cpu", precision = "float32", scaler, clipNorm }: Learner,
  batch: TrainingBatch,
  meter?: Meter,
): void {
  torch.scope(() => {
    const given = batch.images.to({ device });
    // Images are not brought to float32, so that tests can train in float64.
    const images = precision === "float32" ? given : given.to({ dtype: precision });
    const labels = batch.labels.to({ device });
    const mix = batch.mix && {
      otherLabels: batch.mix.otherLabels.to({ device }),
      weight: batch.mix.weight.to({ device }),
    };
    optimizer.zeroGrad();
    const logits = asFloat(model.forward(images));
    const losses = objective.losses(logits, labels, images, mix);
    if (scaler) {
      scaler.scale(losses.loss).backward();
      scaler.step(optimizer, { clipNorm });
    } else {
      losses.loss.backward();
      if (clipNorm !== undefined) clipGradients(optimizer.gradients(), clipNorm);
      optimizer.step();
    }
    meter?.addSums(logits, labels, losses, mix);
  });
}
