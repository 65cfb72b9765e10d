import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { evaluateLogits } from "../analysis/index.js";
import { foldBatchNorm, type Module } from "../nn/index.js";
import type { Recipe } from "../recipe/index.js";
import {
  type EpochRecord,
  type Role,
  type RunFolder,
  syncFolder,
  type WeightsDescription,
  writeWeights,
} from "../runs/index.js";
import * as torch from "../torch/index.js";
import { answer, type EpochReport, loadCheckpoint, saveCheckpoint, trainNetwork } from "../training/index.js";
import type { Images } from "./images.js";
import { graphFor, objectiveFor, optimizerFor, scalerFor, scheduleFor } from "./line.js";
import { type OnProgress, secondsLeft } from "./progress.js";

export interface TrainGenerationOptions {
  recipe: Recipe;
  generation: number;
  role: Role;
  images: Images;
  /** Fresh; becomes the frozen network. */
  model: Module;
  /** Frozen; undefined for the patriarch. */
  teacher: Module | undefined;
  folder: RunFolder | undefined;
  signal: AbortSignal | undefined;
  onProgress: OnProgress | undefined;
}

export interface TrainedGeneration {
  /** The trained network, fit to be a teacher. */
  frozen: Module;
  /** Its answers to the test images, [N, C]. */
  logits: torch.Tensor;
  /** Steps and their loading alone. */
  trainSeconds: number;
  /** Everything: evaluation and files too. */
  seconds: number;
}

/** Trains and judges one generation; undefined when it was interrupted, after saving a checkpoint. */
export async function trainGeneration(
  options: TrainGenerationOptions,
): Promise<TrainedGeneration | undefined> {
  const { recipe, generation, role, images, model, teacher, folder, signal, onProgress } = options;
  const device = recipe.device as torch.Device;
  const loader = images.trainLoader(generation);
  const heldOutLoader = images.heldOutLoader();
  const optimizer = optimizerFor(recipe, model);
  const objective = objectiveFor(recipe, teacher);
  const scaler = scalerFor(recipe);
  const paths = folder?.generation(generation);
  const checkpoint = paths && join(paths.checkpoint, "state.safetensors");
  const resumed = checkpoint && existsSync(checkpoint);
  const position = resumed ? loadCheckpoint(checkpoint, model, optimizer, scaler) : undefined;
  if (paths) mkdirSync(paths.checkpoint, { recursive: true });
  const extent = {
    generations: recipe.generations,
    epochs: recipe.epochs,
    stepsPerEpoch: loader.stepsPerEpoch,
    imagesPerEpoch: images.trainCount,
  };
  const started = performance.now();
  const before = position?.seconds ?? 0;

  const judgeHeldOut = async () => {
    if (!heldOutLoader) return undefined;
    const { logits, labels } = await answer(model, heldOutLoader, { device });
    const { nll, top1 } = evaluateLogits(logits, labels);
    logits.dispose();
    return { loss: nll, top1 };
  };

  const end = await trainNetwork(
    { model, optimizer, objective, device, precision: recipe.precision, scaler },
    {
      loader,
      epochs: recipe.epochs,
      schedule: scheduleFor(recipe, loader.stepsPerEpoch),
      position,
      graph: graphFor(recipe, { optimizer, scaler }),
      signal,
      onStep: (report) => {
        const { epoch, step, imagesPerSecond, loss, terms } = report;
        onProgress?.({
          type: "step",
          generation,
          epoch: epoch + 1,
          step,
          stepsPerEpoch: loader.stepsPerEpoch,
          imagesPerSecond,
          loss,
          terms,
          secondsLeft: secondsLeft(extent, generation, report),
        });
      },
      onEpoch: async (report, next) => {
        const record = recordOf({ generation, role, epochs: recipe.epochs }, report, await judgeHeldOut());
        // Metrics first: should the process die in between, the epoch is trained again and its later line counts.
        await folder?.appendMetrics(record);
        if (checkpoint) saveCheckpoint(checkpoint, model, optimizer, next, scaler);
        onProgress?.({ type: "epoch", record });
      },
    },
  );
  const interrupted = end.epoch < recipe.epochs;
  if (interrupted && checkpoint) saveCheckpoint(checkpoint, model, optimizer, end, scaler);
  optimizer.dispose();
  scaler?.dispose();
  loader.dispose();
  heldOutLoader?.dispose();
  if (interrupted) {
    model.dispose();
    return undefined;
  }

  if (paths) {
    torch.scope(() =>
      writeWeights(paths.weights, model.stateDict(), describe(recipe, images, generation, role)),
    );
  }
  const frozen = foldBatchNorm(model);
  // The one time that this generation sees the test images.
  const testLoader = images.testLoader();
  const { logits } = await answer(frozen, testLoader, { device });
  testLoader.dispose();
  if (paths) {
    torch.saveSafetensors(paths.testLogits, { logits });
    // The summary will say that they are there and the checkpoint will go: their names must outlive a power cut first.
    await syncFolder(paths.directory);
  }
  return {
    frozen,
    logits,
    trainSeconds: end.seconds,
    seconds: before + (performance.now() - started) / 1000,
  };
}

function recordOf(
  which: Pick<EpochRecord, "generation" | "role" | "epochs">,
  report: EpochReport,
  heldOut: EpochRecord["heldOut"],
): EpochRecord {
  return {
    generation: which.generation,
    role: which.role,
    epoch: report.epoch + 1,
    epochs: which.epochs,
    learningRate: report.learningRate,
    trainLoss: report.loss,
    terms: report.terms,
    trainTop1: report.top1,
    ...(heldOut && { heldOut }),
    imagesPerSecond: report.imagesPerSecond,
    seconds: report.seconds,
    date: new Date().toISOString(),
  };
}

/** What another program needs to use the weights: the network, its classes, and what its images were made into. */
function describe(
  recipe: Recipe,
  images: Images,
  generation: number,
  role: Role,
): Omit<WeightsDescription, "lyceum"> {
  const { channels, mean, std } = images;
  const { classNames, train } = images.dataset;
  const { height, width } = train;
  return {
    model: recipe.model,
    generation,
    role,
    classNames,
    channels,
    height,
    width,
    mean,
    std,
  };
}
