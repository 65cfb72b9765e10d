import { mkdirSync } from "node:fs";
import type { Loader } from "../data/index.js";
import { foldBatchNorm, type Module } from "../nn/index.js";
import type { EpochRecord, Role } from "../runs/index.js";
import * as torch from "../torch/index.js";
import {
  beginning,
  type Learner,
  type Position,
  recomputeStatistics,
  type TrainingObserver,
  trainNetwork,
} from "../training/index.js";
import { checkFolding, checkLoneImage } from "./check-network.js";
import { checkSameWeights } from "./check-ranks.js";
import { type Experiment, epochsOf, freshModel } from "./experiment.js";
import { loadFirstWeights } from "./first-weights.js";
import { goBack } from "./go-back.js";
import { handOver } from "./hand-over.js";
import { createLearner, graphFor, scheduleFor } from "./learner.js";
import { loadTogether } from "./load-together.js";
import { type Normalisation, seeing } from "./normalisation.js";
import { Checkpointing } from "./observers/checkpointing.js";
import { collapse } from "./observers/collapse.js";
import { metricsLog } from "./observers/metrics-log.js";
import { type OnProgress, progress } from "./observers/progress.js";
import { ProgressFile } from "./observers/progress-file.js";
import { validation } from "./observers/validation.js";
import { softenAnswers } from "./soften.js";

/** Seconds from one checkpoint to the next within an epoch, where the recipe says nothing: a kill costs no more. */
const DEFAULT_CHECKPOINT_SECONDS = 300;

/** A network whose training is done. */
export interface TrainedNetwork {
  /** The network with the weights that are to be kept; its batch norms are not folded yet. */
  model: Module;
  /** How it wants its images, where that is not how they are normalised: see {@link seeing}. */
  normalisation: Normalisation | undefined;
  /** Seconds of training steps and the loading of their images, summed over all processes that trained it. */
  trainSeconds: number;
  /**
   * Gives the seconds that the generation has taken until now, summed over all processes that worked at it.
   */
  elapsedSeconds(): number;
}

/** Where a generation in training keeps its checkpoint and the records of its epochs: a run folder, usually. */
export interface TrainingPlace {
  generation(n: number): { checkpoint: string };
  appendMetrics(record: EpochRecord): Promise<void>;
  /** The path of progress.json, which tells watchers of other processes where the training stands. */
  readonly progressFile: string;
}

/**
 * Trains one generation to its last epoch, from its checkpoint where there is one.
 *
 * @param experiment.folder where it keeps its checkpoint and its log; nothing is kept where it is undefined. Of several processes
 *   that train together, the first one writes
 * @param teachers frozen networks, in the order in which the method asks for them; the caller frees them
 * @returns the network, or undefined when training was stopped and its checkpoint saved
 * @throws Diverged when the loss is no longer finite
 */
export async function trainGeneration(
  experiment: Omit<Experiment, "folder"> & { folder: TrainingPlace | undefined },
  generation: number,
  teachers: readonly Module[],
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined },
): Promise<TrainedNetwork | undefined> {
  const { recipe, images, folder, ranks } = experiment;
  const epochs = epochsOf(experiment, generation);
  const isWriter = !ranks || ranks.isFirst;
  const fields = { generation, role: roleOf(generation), epochs };

  using loader = images.trainLoader(generation);
  using validationLoader = images.validationLoader();
  const network = freshModel(experiment, generation);
  using trained = handOver(network);
  const { normalisation, notes } = await loadFirstWeights(experiment, generation, network);
  for (const message of notes) onProgress?.({ type: "note", generation, message });
  // The same network; in front of it, where it wants that, a change of how images are normalised.
  const model = seeing(network, images, normalisation);
  checkFolding(experiment, model);
  checkLoneImage(experiment, model);
  softenAnswers(experiment, generation, model, { dryRun: true });
  using learner = createLearner(experiment, generation, model, teachers);

  const checkpoints = folder?.generation(generation).checkpoint;
  if (ranks) await checkSameWeights(ranks, model);
  const found = checkpoints === undefined ? undefined : await loadTogether(checkpoints, learner);
  if (found?.note !== undefined) onProgress?.({ type: "note", generation, message: found.note });
  const position = found?.position;
  const { stepsPerEpoch } = loader;
  if (position && (position.epoch > epochs || position.step >= stepsPerEpoch)) {
    throw new Error(
      `${found?.path}: stands at step ${position.step} after ${position.epoch} epochs, but the images make ` +
        `${stepsPerEpoch} steps an epoch, and the recipe asks for ${epochs} epochs: these are not the images that the ` +
        "training began with",
    );
  }
  if (checkpoints !== undefined && isWriter) mkdirSync(checkpoints, { recursive: true });
  const started = performance.now();
  const elapsedSeconds = () => (position?.elapsedSeconds ?? 0) + (performance.now() - started) / 1000;

  const epochsLater = Array.from({ length: recipe.generations - 1 - generation }, (_, i) =>
    epochsOf(experiment, generation + 1 + i),
  );
  const extent = { epochs, epochsLater, stepsPerEpoch, imagesPerEpoch: images.trainCount };
  await using checkpointing =
    checkpoints === undefined || !isWriter
      ? undefined
      : new Checkpointing(checkpoints, learner, {
          epochs,
          every: recipe.checkpointEvery ?? DEFAULT_CHECKPOINT_SECONDS,
          elapsedSeconds,
        });
  await using progressFile =
    folder && isWriter ? new ProgressFile(folder.progressFile, fields, extent) : undefined;
  const observers: (TrainingObserver | undefined)[] = [
    validationLoader && validation(learner, validationLoader, { every: recipe.validateEvery ?? 1, epochs }),
    // The log comes before the checkpoint. Should the process die in between, the epoch is trained again, and
    // the later of its two lines counts; the other way round, its line would be missing.
    folder && metricsLog(folder, fields),
    checkpointing,
    onProgress && progress(onProgress, fields, extent),
    progressFile,
    // The others wait until the first one has written all.
    ranks && { onStop: () => ranks.group.barrier() },
    onProgress && collapse(images.classes, (message) => onProgress({ type: "note", generation, message })),
  ];
  const options = {
    loader,
    epochs,
    schedule: scheduleFor(experiment, generation, stepsPerEpoch),
    skip: recipe.notFinite?.skip,
    signal,
    observers: observers.filter((observer) => observer !== undefined),
  };
  // There is always a checkpoint to go back to.
  if (recipe.notFinite?.goBack && !position) await checkpointing?.onStop(beginning);
  let end: Position | undefined;
  for (let start = position; !end; ) {
    try {
      end = await trainNetwork(learner, { ...options, position: start, graph: graphFor(recipe, learner) });
    } catch (error) {
      await checkpointing?.settled();
      const failed = start?.rate ?? 1;
      const back = await goBack(error, recipe.notFinite ?? {}, { folder: checkpoints, learner, failed });
      onProgress?.({ type: "note", generation, message: back.note });
      start = back.position;
    }
  }
  if (end.epoch < epochs) return undefined;
  // With other processes, each computes the statistics of the average on all images, as one process does.
  using whole =
    ranks && learner.averageFrom !== undefined ? images.trainLoader(generation, { whole: true }) : undefined;
  await keepAverage(learner, whole ?? loader, epochs);
  softenAnswers(experiment, generation, model);
  return { model: trained.keep(), normalisation, trainSeconds: end.seconds, elapsedSeconds };
}

/**
 * Puts the average of a learner's weights into its network, where it keeps one, with the statistics that belong to it.
 *
 * @param epochs the number of epochs that it was trained for
 */
async function keepAverage(
  { model, averaged, averageFrom, device = "cpu" }: Learner,
  loader: Loader,
  epochs: number,
): Promise<void> {
  // A network that was not trained has no average.
  if (!averaged || averaged.updates === 0) return;
  averaged.copyTo(model);
  // An average over steps takes the statistics along, which change as slowly as the weights.
  if (averageFrom !== undefined) await recomputeStatistics(model, loader, { epoch: epochs, device });
}

/** Gives the role of a generation: 0 is the patriarch, every later one a student. */
export const roleOf = (generation: number): Role => (generation === 0 ? "patriarch" : "student");

/**
 * Freezes a network for good: its batch norms are folded into its convolutions, which makes its predictions
 * faster.
 */
export const freeze = (model: Module): Module => torch.noGrad(() => foldBatchNorm(model));
