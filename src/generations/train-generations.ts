import { evaluateLogits } from "../analysis/index.js";
import type { AnyDataset } from "../data/index.js";
import type { ProcessGroup } from "../distributed/index.js";
import { setKernels } from "../nn/index.js";
import type { Recipe, RecipeInput } from "../recipe/index.js";
import {
  type GenerationResult,
  lyceumVersion,
  type RunFolder,
  type RunResult,
  type Summary,
  syncFolder,
  type WeightsDescription,
  writeWeights,
} from "../runs/index.js";
import * as torch from "../torch/index.js";
import { checkLogits, Diverged, predict, Ranks, reachedIn } from "../training/index.js";
import { checkChange, type LineReached } from "./changes.js";
import { checkRanks } from "./check-ranks.js";
import { checkExperiment, describeMethods, type Experiment, epochsOf } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { prepareImages } from "./images.js";
import { type FinishedGeneration, Line } from "./line.js";
import { type Normalisation, seeing } from "./normalisation.js";
import type { OnProgress } from "./observers/progress.js";
import { type OpenRun, type OpenRunOptions, openRun, type RecipeForImages } from "./open-run.js";
import { explainMemory } from "./out-of-memory.js";
import { checkSameFiles } from "./same-files.js";
import { useThreads } from "./threads.js";
import { freeze, roleOf, type TrainedNetwork, trainGeneration } from "./train-generation.js";
import { warningsFor } from "./warnings.js";

export interface TrainGenerationsOptions extends OpenRunOptions {
  /**
   * Other processes that train the same line together with this one (`joinGroup`): each is called with the same recipe and
   * options, and computes its part of each step. The first one alone writes the run folder, which all must see, and calls
   * `onProgress`. Default: this process trains alone.
   */
  group?: ProcessGroup | undefined;
  /**
   * Stops the training when aborted: the current step is finished, a checkpoint saved, and the promise
   * rejects with {@link Interrupted}.
   */
  signal?: AbortSignal | undefined;
  /** Called with each event of the training. */
  onProgress?: OnProgress | undefined;
}

/**
 * The error of a training that was asked to stop. What it has done so far is in its run folder, if it has
 * one.
 */
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
 * Trains a patriarch and its line of students (Yang, Xie, Qiao, Yuille, AAAI 2019). All networks have the
 * same architecture; each starts from fresh weights and learns from what its method asks for: the labels and
 * the frozen networks of earlier generations.
 *
 * The test images are read once a generation, after its last epoch, and decide nothing.
 *
 * @param recipe keys that it leaves out have documented defaults (docs/recipe.md)
 * @returns the results of the generations and of the ensembles of generations 0 to m
 * @throws RecipeError when the recipe is wrong, Interrupted when aborted, Diverged when a loss is no longer
 *   finite, Error when images are missing or the folder cannot be used
 */
export async function trainGenerations(
  recipe: RecipeForImages,
  options: TrainGenerationsOptions & { dataset: AnyDataset },
): Promise<RunResult>;
export async function trainGenerations(
  recipe: RecipeInput | Recipe,
  options?: TrainGenerationsOptions,
): Promise<RunResult>;
export async function trainGenerations(
  input: RecipeForImages | Recipe,
  options: TrainGenerationsOptions = {},
): Promise<RunResult> {
  const ranks = options.group && new Ranks(options.group, options.signal);
  const onProgress = ranks && !ranks.isFirst ? undefined : options.onProgress;
  const signal = ranks?.signal ?? options.signal;
  await using run = await openRun(input, options, ranks);
  const { recipe, folder } = run;
  const interrupted = () => {
    onProgress?.({ type: "interrupted", directory: folder?.directory });
    return new Interrupted(folder?.directory);
  };
  const experiment = await prepare(run, { ...options, onProgress }, ranks).catch((error) => {
    // Another error than that of the abort is reported, though a stop was asked for as well.
    const asked = options.signal;
    const stopped = asked?.aborted && (error === asked.reason || error?.name === "AbortError");
    throw stopped ? interrupted() : error;
  });
  using line = await Line.recall(experiment);
  tellStart(experiment, onProgress);
  for (const message of await notesOn(experiment, line))
    onProgress?.({ type: "note", generation: Math.min(line.length, recipe.generations - 1), message });

  for (let generation = line.length; generation < recipe.generations; generation++) {
    onProgress?.({ type: "generation-start", generation, role: roleOf(generation) });
    const teachers = line.teachersOf(generation);
    const network = signal?.aborted
      ? undefined
      : await trainGeneration(experiment, generation, teachers, { signal, onProgress }).catch(
          naming(generation, recipe),
        );
    if (!network) throw interrupted();
    line.add(await finish(experiment, line, network).catch(naming(generation, recipe)));
    await folder?.writeSummary(summaryOf(recipe, line));
    await folder?.removeCheckpoint(generation);
    onProgress?.({ type: "generation-end", generation, result: line.results[generation]! });
  }
  const result = resultOf(experiment, line);
  onProgress?.({ type: "end", result });
  // A process that has nothing left to do waits for the others, so that all end well or none.
  await ranks?.group.barrier();
  return result;
}

/** Loads the images and checks everything that can be known before the first step. */
async function prepare(
  { recipe, library, folder, before }: OpenRun,
  { model, dataset, signal, onProgress }: TrainGenerationsOptions,
  ranks: Ranks | undefined,
): Promise<Experiment> {
  useThreads(recipe);
  setKernels(recipe.kernels);
  const load = () =>
    prepareImages(recipe, {
      library,
      dataset,
      ranks,
      signal,
      onProgress: (progress) => onProgress?.({ type: "images", ...progress }),
    });
  const images = ranks ? await ranks.firstAlone("images", load) : await load();
  if (folder && !folder.follows) await checkSameFiles(folder.directory, images.dataset);
  const experiment = { recipe, library, images, folder, model, ranks };
  checkExperiment(experiment);
  if (ranks) await checkRanks(experiment, ranks);
  if (folder && before) {
    const reached = await reachedBy(folder);
    checkChange(experiment, before, reached);
    await folder.change(recipe, reached.finished);
  }
  return experiment;
}

/** Tells how far a run has come. */
async function reachedBy(folder: RunFolder): Promise<LineReached> {
  const finished = (await folder.readSummary())?.generations.length ?? 0;
  return { finished, underWay: reachedIn(folder.generation(finished).checkpoint) };
}

/** Says what a person should know of a run that goes on: what is other than before, and what its log lacks. */
async function notesOn({ folder }: Experiment, line: Line): Promise<string[]> {
  if (!folder) return [];
  const lacking = await folder.epochsLackingInLog(
    line.results.map(({ epochs }) => epochs ?? 0),
    reachedIn(folder.generation(line.length).checkpoint)?.epoch ?? 0,
  );
  return [...folder.notes, ...lacking];
}

/** Saves, freezes and evaluates a trained network. This is the only time that it sees the test images. */
async function finish(
  experiment: Experiment,
  line: Line,
  trained: TrainedNetwork,
): Promise<FinishedGeneration> {
  const { recipe, images, folder, ranks } = experiment;
  const generation = line.length;
  const role = roleOf(generation);
  const paths = folder?.follows ? undefined : folder?.generation(generation);
  using madeNetwork = handOver(trained.model);
  if (paths) {
    const description = describeNetwork(experiment, generation, trained.normalisation);
    torch.scope(() => writeWeights(paths.weights, trained.model.stateDict(), description));
  }
  const network = freeze(seeing(trained.model, images, trained.normalisation));
  using testLoader = images.testLoader();
  const device = recipe.device as torch.Device;
  const { logits, labels } = await predict(network, testLoader, { device, ranks });
  using madeLogits = handOver(logits);
  checkLogits(logits, "the test images after its last epoch");
  if (paths) {
    using stored = torch.tensor(labels);
    torch.saveSafetensors(paths.testLogits, { logits, labels: stored });
    // The files' names must be on the disk before the summary mentions them and the checkpoint is removed, or
    // a power cut could lose all three.
    await syncFolder(paths.directory);
  }
  const teacherLogits = line.testLogitsOf(generation - 1);
  const result: GenerationResult = {
    generation,
    role,
    test: evaluateLogits(logits, labels, {
      k: line.k,
      teacherLogits,
      superclasses: images.dataset.superclasses,
    }),
    epochs: epochsOf(experiment, generation),
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

/**
 * Describes a network for its weights file: all that another program needs to use the weights.
 *
 * @param normalisation how the network wants its images, where that is not how they are normalised
 */
export function describeNetwork(
  { recipe, library, images, model }: Experiment,
  generation: number,
  normalisation?: Normalisation,
): WeightsDescription {
  const { channels, height, width, shorterSide } = images;
  const { mean, std } = normalisation ?? images;
  return {
    lyceum: lyceumVersion(),
    model: recipe.model,
    // How a program's own network is built is not known, even where its name is that of a definition.
    construction: model ? undefined : library.find("model", recipe.model)?.construction,
    generation,
    role: roleOf(generation),
    classNames: images.dataset.classNames,
    channels,
    height,
    width,
    shorterSide,
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
    ...(images.dataset.notes && { notes: images.dataset.notes }),
  });
}

/** Gives a handler that adds to an error what a person needs to know of the training that failed by it. */
function naming(generation: number, recipe: Recipe): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Diverged)) throw explainMemory(error, recipe);
    throw new Diverged(`generation ${generation} of ${titleOf(recipe)}: ${error.message}`, { cause: error });
  };
}

/** Gives the title of a recipe, which by default is made of its network and its images. */
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
