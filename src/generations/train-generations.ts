import { evaluateLogits } from "../analysis/index.js";
import type { Dataset } from "../data/index.js";
import { setKernels } from "../nn/index.js";
import type { Recipe, RecipeInput } from "../recipe/index.js";
import {
  type GenerationResult,
  lyceumVersion,
  type RunResult,
  type Summary,
  syncFolder,
  type WeightsDescription,
  writeWeights,
} from "../runs/index.js";
import * as torch from "../torch/index.js";
import { checkLogits, Diverged, predict } from "../training/index.js";
import { checkExperiment, describeMethods, type Experiment } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { prepareImages } from "./images.js";
import { Line, type Trained } from "./line.js";
import type { OnProgress } from "./observers/progress.js";
import { type OpenRunOptions, openRun, type RecipeForImages } from "./open-run.js";
import { freeze, roleOf, type TrainedNetwork, trainGeneration } from "./train-generation.js";
import { warningsFor } from "./warnings.js";

export interface TrainGenerationsOptions extends OpenRunOptions {
  /** Aborting finishes the step, saves, and makes the promise reject with {@link Interrupted}. */
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/** A training that was asked to stop. What it had done is in its run folder, if it has one. */
export class Interrupted extends Error {
  override name = "Interrupted";

  constructor(readonly directory: string | undefined) {
    super(
      directory
        ? `interrupted: ${directory} can be resumed`
        : "interrupted; without a run folder nothing is kept",
    );
  }
}

/**
 * Trains a patriarch and its line of students (Yang, Xie, Qiao, Yuille, AAAI 2019): each network has the same
 * architecture and fresh weights, and learns from what its method asks for, the labels and frozen networks before it.
 *
 * The test set is read once a generation, after its last epoch; those numbers are the result.
 *
 * @param recipe what it does not say has a documented default
 * @returns results by generation and by ensemble of the generations 0 … m
 * @throws RecipeError when the recipe is wrong, Interrupted when aborted, Diverged when a loss is no longer finite,
 *   Error when images are missing or the folder cannot be used
 */
export async function trainGenerations(
  recipe: RecipeForImages,
  options: TrainGenerationsOptions & { dataset: Dataset },
): Promise<RunResult>;
export async function trainGenerations(
  recipe: RecipeInput | Recipe,
  options?: TrainGenerationsOptions,
): Promise<RunResult>;
export async function trainGenerations(
  input: RecipeForImages | Recipe,
  options: TrainGenerationsOptions = {},
): Promise<RunResult> {
  const { onProgress, signal } = options;
  await using run = await openRun(input, options);
  const { recipe, folder } = run;
  const interrupted = () => {
    onProgress?.({ type: "interrupted", directory: folder?.directory });
    return new Interrupted(folder?.directory);
  };
  const experiment = await prepare(run, options).catch((error) => {
    // What else went wrong is to be told, whether somebody asked to stop or not.
    const stopped = signal?.aborted && (error === signal.reason || error?.name === "AbortError");
    throw stopped ? interrupted() : error;
  });
  using line = await Line.recall(experiment);
  tellStart(experiment, onProgress);

  for (let generation = line.length; generation < recipe.generations; generation++) {
    onProgress?.({ type: "generation-start", generation, role: roleOf(generation) });
    const teachers = line.teachersOf(generation);
    const network = signal?.aborted
      ? undefined
      : await trainGeneration(experiment, generation, teachers, options).catch(naming(generation, recipe));
    if (!network) throw interrupted();
    line.add(await finish(experiment, line, network).catch(naming(generation, recipe)));
    await folder?.writeSummary(summaryOf(recipe, line));
    await folder?.removeCheckpoint(generation);
    onProgress?.({ type: "generation-end", generation, result: line.results[generation]! });
  }
  const result = resultOf(experiment, line);
  onProgress?.({ type: "end", result });
  return result;
}

/** All that is known before the first step, and checked. */
async function prepare(
  { recipe, library, folder }: Pick<Experiment, "recipe" | "library" | "folder">,
  { model, dataset, signal, onProgress }: TrainGenerationsOptions,
): Promise<Experiment> {
  if (recipe.threads !== undefined) torch.setNumThreads(recipe.threads);
  setKernels(recipe.kernels);
  const images = await prepareImages(recipe, {
    library,
    dataset,
    signal,
    onProgress: (progress) => onProgress?.({ type: "images", ...progress }),
  });
  const experiment = { recipe, library, images, folder, model };
  checkExperiment(experiment);
  return experiment;
}

/** Saves, freezes and evaluates a trained network: the one time that it sees the test images. */
async function finish(experiment: Experiment, line: Line, trained: TrainedNetwork): Promise<Trained> {
  const { recipe, images, folder } = experiment;
  const generation = line.length;
  const role = roleOf(generation);
  const paths = folder?.generation(generation);
  using madeNetwork = handOver(trained.model);
  if (paths) {
    const description = describeNetwork(experiment, generation);
    torch.scope(() => writeWeights(paths.weights, trained.model.stateDict(), description));
  }
  const network = freeze(trained.model);
  using testLoader = images.testLoader();
  const { logits, labels } = await predict(network, testLoader, { device: recipe.device as torch.Device });
  using madeLogits = handOver(logits);
  checkLogits(logits, "the test images after its last epoch");
  if (paths) {
    torch.saveSafetensors(paths.testLogits, { logits });
    // The summary will say that they are there and the checkpoint will go: their names must outlive a power cut first.
    await syncFolder(paths.directory);
  }
  const teacherLogits = line.answersOf(generation - 1);
  const result: GenerationResult = {
    generation,
    role,
    test: evaluateLogits(logits, labels, { k: line.k, teacherLogits }),
    trainSeconds: trained.trainSeconds,
    weights: `generation-${generation}/weights.safetensors`,
  };
  return {
    network: madeNetwork.keep(),
    logits: madeLogits.keep(),
    result,
    seconds: trained.elapsedSeconds(),
  };
}

/** What another program needs to use the weights: the network, its classes, and what its images were made into. */
function describeNetwork(
  { recipe, library, images, model }: Experiment,
  generation: number,
): WeightsDescription {
  const { channels, height, width, mean, std } = images;
  return {
    lyceum: lyceumVersion(),
    model: recipe.model,
    // Of a program's own network nothing is known, whatever the recipe calls it.
    construction: model ? undefined : library.find("model", recipe.model)?.construction,
    generation,
    role: roleOf(generation),
    classNames: images.dataset.classNames,
    channels,
    height,
    width,
    mean,
    std,
  };
}

function tellStart(experiment: Experiment, onProgress: OnProgress | undefined): void {
  const { recipe, images } = experiment;
  onProgress?.({
    type: "start",
    generations: recipe.generations,
    epochs: recipe.epochs,
    stepsPerEpoch: images.stepsPerEpoch,
    methods: describeMethods(experiment),
    warnings: warningsFor(experiment),
  });
}

/** Says which network of which line fell apart. */
function naming(generation: number, recipe: Recipe): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Diverged)) throw error;
    throw new Diverged(`generation ${generation} of ${titleOf(recipe)}: ${error.message}`, { cause: error });
  };
}

export function titleOf(recipe: Recipe): string {
  return recipe.title ?? `${recipe.model} on ${recipe.data.name}`;
}

function summaryOf(recipe: Recipe, line: Line): Omit<Summary, "format" | "lyceum"> {
  return {
    title: titleOf(recipe),
    k: line.k,
    generations: line.results,
    ensembles: line.ensembles,
    seconds: line.seconds,
  };
}

function resultOf({ recipe, images, folder }: Experiment, line: Line): RunResult {
  return {
    directory: folder?.directory,
    recipe,
    classes: images.classes,
    k: line.k,
    generations: [...line.results],
    ensembles: { ...line.ensembles },
    seconds: line.seconds,
  };
}
