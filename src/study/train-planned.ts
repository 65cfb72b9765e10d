/** Trains one network of a study, and leaves its numbers, its scores and, where it is to teach, its weights. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  checkExperiment,
  describeNetwork,
  explainMemory,
  freeze,
  handOver,
  type OnProgress,
  seeing,
  trainGeneration,
  useThreads,
} from "../generations/index.js";
import { setKernels } from "../nn/index.js";
import type { Library } from "../recipe/index.js";
import { describeEnvironment, syncFolder, writeAtomic, writeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { evaluateParts } from "./evaluate-parts.js";
import { imagesFor, type StudyImages } from "./images.js";
import type { NetworkFile } from "./network-file.js";
import type { PlannedNetwork } from "./plan.js";
import { recallTeachers } from "./recall-teachers.js";
import { saveScores } from "./scores.js";
import type { StudyFolder } from "./study-folder.js";
import { cpuSecondsOf, curveOf, placeOf, readRecords } from "./training-log.js";
import { countOf } from "./words.js";

export interface TrainPlannedOptions {
  folder: StudyFolder;
  library: Library;
  /** Whether the test images are evaluated; in a search they are not even loaded. */
  test: boolean;
  /** Tells whether a later network needs this one's weights. */
  teaches: boolean;
  images: StudyImages;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/**
 * Trains a planned network, from its checkpoint where there is one, evaluates it once and writes its files.
 *
 * @returns whether it was finished; it is not where the training was stopped and its checkpoint saved
 * @throws Error when a teacher's weights are missing, Diverged when the loss is no longer finite
 */
export async function trainPlanned(network: PlannedNetwork, options: TrainPlannedOptions): Promise<boolean> {
  const { folder, library, signal, onProgress } = options;
  const { recipe, generation, fingerprint } = network;
  const paths = folder.network(fingerprint);
  await mkdir(paths.work, { recursive: true });
  const weights = join(paths.work, "weights.safetensors");
  // What was finished before is needed again only for its weights; its numbers stay as they were.
  const again = folder.isFinished(fingerprint);
  if (again && isWhole(weights)) {
    await handOn(weights, paths.weights);
    return true;
  }
  useThreads(recipe);
  setKernels(recipe.kernels);

  const images = await imagesFor(options.images, recipe, { library, test: options.test, signal });
  const experiment = { recipe, library, images: images.split, folder: placeOf(paths), model: undefined };
  checkExperiment({ ...experiment, folder: undefined });
  using teachers = recallTeachers({ ...experiment, folder: undefined }, network, folder);
  const trained = await trainGeneration(experiment, generation, teachers.networks, {
    signal,
    onProgress,
  }).catch((error) => {
    throw explainMemory(error, recipe);
  });
  if (!trained) return false;
  using _owned = handOver(trained.model);
  const description = describeNetwork(
    { ...experiment, folder: undefined },
    generation,
    trained.normalisation,
  );
  torch.scope(() => writeWeights(weights, trained.model.stateDict(), description));
  if (options.teaches) await handOn(weights, paths.weights);
  if (again) return true;
  const frozen = freeze(seeing(trained.model, images.split, trained.normalisation));

  const { superclasses } = images.split.dataset;
  const { scores, heldOut, test } = await evaluateParts(frozen, images.split, {
    teacher: teachers.networks.at(-1),
    device: recipe.device as torch.Device,
    test: options.test,
  });
  saveScores(paths.scores, scores);
  await syncFolder(dirname(paths.file));
  const records = await readRecords(paths);
  const { machine, lyceum, commit } = await describeEnvironment({ device: recipe.device });
  const file: NetworkFile = {
    format: 1,
    fingerprint,
    decides: network.decides,
    images: images.checksums,
    ...(superclasses && { superclasses: [...superclasses] }),
    ...(test && { test }),
    ...(heldOut && { heldOut }),
    curve: curveOf(records),
    trainSeconds: trained.trainSeconds,
    ...cpuSecondsOf(records),
    kernels: kernelsInWords(recipe.device),
    machine,
    lyceum,
    ...(commit !== undefined && { commit }),
    date: new Date().toISOString(),
  };
  await folder.writeNetwork(file);
  await rm(join(paths.work, "checkpoint"), { recursive: true, force: true });
  return true;
}

/** Tells whether a file of weights is there, and holds what was written. */
function isWhole(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    torch.scope(() => torch.loadSafetensors(path));
    return true;
  } catch {
    return false;
  }
}

/** Puts a network's weights where its students find them: whole or not at all, since others may be waiting for them. */
async function handOn(from: string, to: string): Promise<void> {
  await writeAtomic(to, await readFile(from));
}

/** Says which kernels compute on this machine: they decide how sums round. */
function kernelsInWords(device: string): string {
  const threads = torch.getNumThreads();
  const where =
    device === "cpu"
      ? `${torch.isa()}, ${countOf(threads, "thread")}`
      : (torch.cudaDevice(device as torch.Device)?.name ?? device);
  return `${where}, libtorch ${torch.version()}`;
}
