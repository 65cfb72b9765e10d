import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkBatchNormPairs, foldBatchNorm, type Module } from "../nn/index.js";
import type { Role } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, objectiveOf, type TrainingObserver, trainNetwork } from "../training/index.js";
import { type Experiment, freshModel, methodOf } from "./experiment.js";
import { createLearner, graphFor, scheduleFor } from "./learner.js";
import { checkpointing } from "./observers/checkpointing.js";
import { metricsLog } from "./observers/metrics-log.js";
import { type OnProgress, progress } from "./observers/progress.js";
import { validation } from "./observers/validation.js";

/** A network whose training is done. */
export interface TrainedNetwork {
  /** With its weights as they are to be kept: not folded yet. */
  model: Module;
  /** Seconds of steps and their loading alone, over all sittings. */
  trainSeconds: number;
  /** Seconds since its training began, over all sittings; goes on. */
  elapsedSeconds(): number;
}

/**
 * Trains one generation to its last epoch, from its checkpoint where there is one.
 *
 * @param teachers frozen, in the order in which the method asks for them; they stay the caller's
 * @returns undefined when it was stopped, after saving a checkpoint
 * @throws Diverged when the loss is no longer finite
 */
export async function trainGeneration(
  experiment: Experiment,
  generation: number,
  teachers: readonly Module[],
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined },
): Promise<TrainedNetwork | undefined> {
  const { recipe, library, images, folder } = experiment;
  const { epochs, generations } = recipe;
  const { method, options } = methodOf(experiment, generation);
  const whose = { generation, role: roleOf(generation), epochs };

  using loader = images.trainLoader(generation);
  using heldOut = images.validationLoader();
  const model = freshModel(experiment, generation);
  checkFolding(experiment, model);
  const objective = objectiveOf(method, options, { teachers, generation, generations });
  using learner = createLearner(recipe, library, model, objective);

  const checkpoint = folder && join(folder.generation(generation).checkpoint, "state.safetensors");
  const position = checkpoint && existsSync(checkpoint) ? loadCheckpoint(checkpoint, learner) : undefined;
  if (folder) mkdirSync(folder.generation(generation).checkpoint, { recursive: true });
  const started = performance.now();
  const elapsedSeconds = () => (position?.elapsedSeconds ?? 0) + (performance.now() - started) / 1000;

  const { stepsPerEpoch } = loader;
  const extent = { generations, epochs, stepsPerEpoch, imagesPerEpoch: images.trainCount };
  const observers: (TrainingObserver | undefined)[] = [
    heldOut && validation(learner, heldOut),
    // Before the checkpoint: should the process die in between, the epoch is trained again and its later line counts.
    folder && metricsLog(folder, whose),
    checkpoint ? checkpointing(checkpoint, learner, elapsedSeconds) : undefined,
    onProgress && progress(onProgress, whose, extent),
  ];
  const end = await trainNetwork(learner, {
    loader,
    epochs,
    schedule: scheduleFor(recipe, library, stepsPerEpoch),
    position,
    graph: graphFor(recipe, learner),
    signal,
    observers: observers.filter((observer) => observer !== undefined),
  });
  if (end.epoch < epochs) {
    model.dispose();
    return undefined;
  }
  learner.averaged?.copyTo(model);
  return { model, trainSeconds: end.seconds, elapsedSeconds };
}

/** Finds pairs that its batch norms may not be folded by now, not after a training. */
function checkFolding({ images }: Experiment, model: Module): void {
  const { channels, height, width } = images;
  const { device, dtype } = model.parameters()[0] ?? { device: "cpu", dtype: "float32" };
  torch.scope(() => {
    const example = torch.zeros([2, channels, height, width], { device, dtype }).contiguous("channelsLast");
    checkBatchNormPairs(model, { example });
  });
}

/** Generation 0 is the patriarch, every later one a student. */
export const roleOf = (generation: number): Role => (generation === 0 ? "patriarch" : "student");

/** Freezes a network for good: batch norm goes into the convolutions, and it answers faster. */
export const freeze = (model: Module): Module => torch.noGrad(() => foldBatchNorm(model));
