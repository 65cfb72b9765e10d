import type { Mix } from "../data/index.js";
import type { Module } from "../nn/index.js";
import { type AveragedWeights, clipGradients, type GradScaler, type Optimizer } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import type { Meter } from "./meter.js";
import type { Objective } from "./objective.js";
import type { Snapshot } from "./snapshot.js";

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
  /** The frozen copy of the network by which it is taught, renewed after epochs. Default: there is none. */
  snapshot?: Snapshot | undefined;
  /**
   * Networks that are trained beside the network on the same images, each with the others as its peers; the network itself
   * is the learner's. Default: none.
   */
  peers?: readonly Trained[];
}

/** A network with what updates its weights. */
export type Trained = Pick<Learner, "model" | "optimizer" | "scaler">;

/** Lists the networks that a learner trains together: its own, and the peers. */
export function networksOf({ peers = [], ...learner }: Learner): Trained[] {
  return [learner, ...peers];
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
export function descend(learner: Learner, batch: TrainingBatch, meter?: Meter): void {
  const { objective, device = "cpu", precision = "float32", clipNorm } = learner;
  const networks = networksOf(learner);
  torch.scope(() => {
    const given = batch.images.to({ device });
    // Images are not brought to float32, so that tests can train in float64.
    const images = precision === "float32" ? given : given.to({ dtype: precision });
    const labels = batch.labels.to({ device });
    const mix = batch.mix && {
      otherLabels: batch.mix.otherLabels.to({ device }),
      weight: batch.mix.weight.to({ device }),
    };
    for (const { optimizer } of networks) optimizer.zeroGrad();
    const logits = networks.map(({ model }) => asFloat(model.forward(images)));
    const constant = logits.length > 1 ? logits.map((each) => each.detach()) : [];
    const losses = logits.map((each, i) =>
      objective.losses(each, labels, images, mix, constant.toSpliced(i, 1)),
    );
    networks.forEach((network, i) => void update(network, losses[i]!.loss, clipNorm));
    meter?.addSums(logits[0]!, labels, losses[0]!, mix);
  });
}

/** Updates a network's weights by the gradient of its loss. */
function update({ optimizer, scaler }: Trained, loss: torch.Tensor, clipNorm: number | undefined): void {
  if (scaler) {
    scaler.scale(loss).backward();
    scaler.step(optimizer, { clipNorm });
  } else {
    loss.backward();
    if (clipNorm !== undefined) clipGradients(optimizer.gradients(), clipNorm);
    optimizer.step();
  }
}
