import type { BatchPart, Mix } from "../data/index.js";
import type { Losses } from "../methods/index.js";
import type { Module } from "../nn/index.js";
import { type AveragedWeights, clipGradients, type GradScaler, type Optimizer } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";
import { BadStep } from "./bad-step.js";
import type { Meter } from "./meter.js";
import type { Objective } from "./objective.js";
import type { Ranks } from "./ranks.js";
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
  /**
   * The number of parts in which a step's batch is computed, one after the other: their gradients are summed, each part
   * weighing by its images, before the weights are updated once. It takes less memory and, for a loss that is a mean over
   * images, comes to the gradients of the whole batch, but for batch norm, which normalises each part by its own statistics.
   * Default: 1.
   */
  accumulate?: number | undefined;
  /**
   * What must be finite in each step, or the step is refused: the loss, or the loss and the gradients. It is read in each step,
   * for which a device would have to be waited. Default: nothing is looked at.
   */
  check?: "loss" | "gradients" | undefined;
  /** The average of the weights, which is updated after each step, or as `averageFrom` says. Default: none is kept. */
  averaged?: AveragedWeights | undefined;
  /**
   * The fraction of the epochs from which on the average is updated, after each epoch. Default: it is updated after each step
   * of all epochs.
   */
  averageFrom?: number | undefined;
  /** The processes that train the network together, of which this is one. Default: it trains alone. */
  ranks?: Ranks | undefined;
  /** Whether batch norm takes the statistics of the images of all processes. Default: of its own images. */
  syncBatchNorm?: boolean | undefined;
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
  /** The place of the images in the batch of all processes, where several train together. */
  part?: BatchPart;
}

/**
 * Takes one step of gradient descent. All tensors that it makes are freed at its end, except the parameters'
 * gradients.
 *
 * @param meter adds up the losses and the correct predictions, where it is given
 * @throws BadStep where the loss is not finite and the learner's `check` asks for it, before any weight is changed
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
  torch.scope(() => {
    computeGradients(learner, batch, meter);
    updateWeights(learner);
  });
}

/** What happens while gradients are computed, for processes that train together. */
export interface GradientHooks {
  /** Called right before the last backward passes, after which the gradients are complete. */
  beforeLast(): void;
  /** Called with a loss that is not finite, where the learner's `check` asks for it; the gradients are computed all the same. */
  onBadLoss(error: BadStep): void;
}

/**
 * Computes the gradients of a batch, which are then those of the learner's parameters.
 *
 * @param meter adds up the losses and the correct predictions, where it is given
 * @throws BadStep where a loss is not finite, the learner's `check` asks for it and there are no hooks
 */
export function computeGradients(
  learner: Learner,
  batch: TrainingBatch,
  meter?: Meter,
  hooks?: GradientHooks,
): void {
  const { device = "cpu" } = learner;
  torch.scope(() => {
    const images = batch.images.to({ device });
    const labels = batch.labels.to({ device });
    const mix = batch.mix && {
      otherLabels: batch.mix.otherLabels.to({ device }),
      weight: batch.mix.weight.to({ device }),
    };
    const whole = { images, labels, ...(mix && { mix }), ...(batch.part && { part: batch.part }) };
    const parts = partsOf(whole, learner.accumulate);
    // What a part has computed is freed before the next one begins, but for the sums of the gradients.
    for (const [i, { share, ...part }] of parts.entries()) {
      const place = { share, isFirst: i === 0, isLast: i === parts.length - 1 };
      torch.scope(() => goBackward(learner, part, place, meter, hooks));
    }
  });
}

/**
 * Updates the weights of a learner's networks by their gradients.
 *
 * @throws BadStep where the gradients are not finite and the learner's `check` asks for it, before any weight is changed
 */
export function updateWeights(learner: Learner): void {
  const networks = networksOf(learner);
  torch.scope(() => {
    if (learner.check === "gradients") networks.forEach(checkGradients);
    for (const network of networks) update(network, learner.clipNorm);
  });
}

/**
 * Adds the gradients of a part of a step's batch to those of the parts before it.
 *
 * @param place.share the part's share of the images of the batch, that of all processes where there are several
 * @param place.isFirst whether the gradients of the step before are forgotten. They are until the losses are known to be finite,
 *   since they say what led to losses that are not.
 * @param place.isLast whether the gradients are complete afterwards
 */
function goBackward(
  learner: Learner,
  part: TrainingBatch,
  { share, isFirst, isLast }: { share: number; isFirst: boolean; isLast: boolean },
  meter: Meter | undefined,
  hooks: GradientHooks | undefined,
): void {
  const { objective, precision = "float32", check } = learner;
  const { labels, mix } = part;
  // Images are not brought to float32, so that tests can train in float64.
  const images = precision === "float32" ? part.images : part.images.to({ dtype: precision });
  const networks = networksOf(learner);
  const logits = networks.map(({ model }) => asFloat(model.forward(images)));
  const constant = logits.length > 1 ? logits.map((each) => each.detach()) : [];
  const losses = logits.map((each, i) =>
    objective.losses(each, labels, images, mix, constant.toSpliced(i, 1), part.part),
  );
  if (check) checkLosses(losses, hooks);
  if (isFirst) for (const { optimizer } of networks) optimizer.zeroGrad();
  if (isLast) hooks?.beforeLast();
  networks.forEach(({ scaler }, i) => {
    const { loss } = losses[i]!;
    const weighted = share === 1 ? loss : loss.mul(share);
    (scaler ? scaler.scale(weighted) : weighted).backward();
  });
  meter?.addSums(logits[0]!, labels, losses[0]!, mix, part.part);
}

/**
 * Splits a batch into parts that differ by one image at most, each of two images or more, since batch norm cannot train on
 * one: a small batch makes fewer parts.
 */
function partsOf(batch: TrainingBatch, wanted = 1): (TrainingBatch & { share: number })[] {
  const { images, labels, mix, part } = batch;
  const count = labels.shape[0]!;
  // All processes compute as many parts, since they may wait for each other within one.
  const parts = Math.max(1, Math.min(wanted, Math.floor((part?.least ?? count) / 2)));
  if (parts === 1) return [{ ...batch, share: part?.share ?? 1 }];
  return Array.from({ length: parts }, (_, i) => {
    const start = Math.floor((i * count) / parts);
    const length = Math.floor(((i + 1) * count) / parts) - start;
    const narrow = (tensor: torch.Tensor) => tensor.narrow(0, start, length);
    const share = (length / count) * (part?.share ?? 1);
    return {
      images: narrow(images),
      labels: narrow(labels),
      ...(mix && { mix: { ...mix, otherLabels: narrow(mix.otherLabels) } }),
      ...(part && { part: { ...part, start: part.start + start, share } }),
      share,
    };
  });
}

/** @throws BadStep for the first loss that is not finite, where there are no hooks to be told */
function checkLosses(losses: readonly Losses[], hooks: GradientHooks | undefined): void {
  for (const { loss, terms } of losses) {
    const value = Number(loss.item());
    if (Number.isFinite(value)) continue;
    const values = Object.entries(terms).map(([name, term]) => [name, Number(term.item())]);
    const error = new BadStep("loss", { loss: value, ...Object.fromEntries(values) });
    if (!hooks) throw error;
    hooks.onBadLoss(error);
    return;
  }
}

/** @throws BadStep when the norm of all gradients is not finite */
function checkGradients({ optimizer }: Trained): void {
  const gradients = optimizer.gradients();
  if (gradients.length === 0) return;
  const normOf = () => torch.stack(torch.op("aten::_foreach_norm.Scalar", gradients, 2)).norm();
  const norm = torch.noGrad(() => torch.scope(() => Number(normOf().item())));
  if (!Number.isFinite(norm)) throw new BadStep("gradients", { norm });
}

/** Updates a network's weights by its gradients. */
function update({ optimizer, scaler }: Trained, clipNorm: number | undefined): void {
  if (scaler) {
    scaler.step(optimizer, { clipNorm });
  } else {
    if (clipNorm !== undefined) clipGradients(optimizer.gradients(), clipNorm);
    optimizer.step();
  }
}
