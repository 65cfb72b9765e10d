import { availableParallelism } from "node:os";
import { type Dataset, planSteps } from "../data/index.js";
import { foldBatchNorm, hasAmx, type Module, setKernels } from "../nn/index.js";
import { type Recipe, type RecipeInput, resolveRecipe } from "../recipe/index.js";
import {
  describeEnvironment,
  type GenerationResult,
  lyceumVersion,
  measureBlas,
  type Role,
  RunFolder,
  type RunResult,
  type Summary,
} from "../runs/index.js";
import * as torch from "../torch/index.js";
import { Diverged } from "../training/index.js";
import { type Images, prepareImages } from "./images.js";
import { freshModel, judgedK, type ModelFactory } from "./line.js";
import type { OnProgress } from "./progress.js";
import { judge, judgePrefixes, loadAnswers } from "./results.js";
import { trainGeneration } from "./train-generation.js";

export interface TrainGenerationsOptions {
  /** The run folder, new or empty. Nothing is written when left out. */
  directory?: string | undefined;
  /** Go on with the run in `directory`, whose recipe counts, not the one given. */
  resume?: boolean;
  /** Aborting finishes the step, saves, and makes the promise reject with {@link Interrupted}. */
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /**
   * A network of your own, called once for each generation, instead of the recipe's; `model` in the recipe is then its
   * name, by default "own network".
   */
  model?: ModelFactory | undefined;
  /** Images of your own instead of the recipe's; `data` in the recipe is then their name, by default `dataset.name`. */
  dataset?: Dataset | undefined;
}

/** A recipe for images of the code's own, which has no need to name any. */
export type RecipeForImages = Omit<RecipeInput, "data"> & Partial<Pick<RecipeInput, "data">>;

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

/** What is known of the line so far. The newest network is the next one's teacher. */
interface Line {
  results: GenerationResult[];
  /** Answers to the test images, of each generation. */
  answers: torch.Tensor[];
  teacher: Module | undefined;
  seconds: number;
}

/**
 * Trains a patriarch and its line of students (Yang, Xie, Qiao, Yuille, AAAI 2019): each network has the same
 * architecture and fresh weights, and learns from the labels and from the frozen network before it.
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
  recipe: RecipeForImages | Recipe,
  options: TrainGenerationsOptions = {},
): Promise<RunResult> {
  const folder = await openFolder(recipe, options);
  try {
    return await trainLine(folder?.recipe ?? resolve(recipe, options), folder, options);
  } finally {
    await folder?.close();
  }
}

async function openFolder(
  input: RecipeForImages | Recipe,
  options: TrainGenerationsOptions,
): Promise<RunFolder | undefined> {
  const { directory, resume } = options;
  if (directory === undefined) {
    if (resume) throw new TypeError("resume needs the directory of the run to go on with");
    return undefined;
  }
  if (resume) {
    const { recipe } = await RunFolder.open(directory);
    return RunFolder.resume(directory, await sitting(recipe));
  }
  const recipe = resolve(input, options);
  return RunFolder.create(directory, recipe, await sitting(recipe));
}

/** A network of the code's own must not go by the default one's name, in the run folder least of all. */
function resolve(input: RecipeForImages | Recipe, { model, dataset }: TrainGenerationsOptions): Recipe {
  return resolveRecipe({
    ...(model && { model: "own network" }),
    ...(dataset && { data: dataset.name }),
    ...input,
  });
}

async function sitting(recipe: Recipe) {
  // First, so that the environment notes the threads that the training uses.
  if (recipe.threads !== undefined) torch.setNumThreads(recipe.threads);
  return describeEnvironment({ device: recipe.device });
}

async function trainLine(
  recipe: Recipe,
  folder: RunFolder | undefined,
  options: TrainGenerationsOptions,
): Promise<RunResult> {
  const { onProgress, signal } = options;
  if (recipe.threads !== undefined) torch.setNumThreads(recipe.threads);
  setKernels(recipe.kernels);
  const images = await prepareImages(recipe, options.dataset);
  checkRecipe(recipe, images);
  const { steps: stepsPerEpoch } = planSteps(images.trainCount, {
    batchSize: recipe.batchSize,
    joinLoneLast: true,
  });
  onProgress?.({
    type: "start",
    generations: recipe.generations,
    epochs: recipe.epochs,
    stepsPerEpoch,
    warnings: warningsFor(recipe),
  });

  const interrupted = () => {
    onProgress?.({ type: "interrupted", directory: folder?.directory });
    return new Interrupted(folder?.directory);
  };
  const line = await recall(recipe, folder, images, options.model);
  const labels = images.dataset.test.labels;
  const k = judgedK(recipe, images.classes);
  try {
    for (let generation = line.results.length; generation < recipe.generations; generation++) {
      if (signal?.aborted) throw interrupted();
      const role: Role = generation === 0 ? "patriarch" : "student";
      onProgress?.({ type: "generation-start", generation, role });
      const trained = await trainGeneration({
        recipe,
        generation,
        role,
        images,
        model: freshModel(recipe, generation, images, options.model),
        teacher: line.teacher,
        folder,
        signal,
        onProgress,
      });
      if (!trained) throw interrupted();
      const { frozen, logits, trainSeconds, seconds } = trained;
      const test = judge(logits, labels, { k, teacherLogits: line.answers.at(-1) });
      const result = {
        generation,
        role,
        test,
        trainSeconds,
        weights: `generation-${generation}/weights.safetensors`,
      };
      line.teacher?.dispose();
      line.teacher = frozen;
      line.answers.push(logits);
      line.results.push(result);
      line.seconds += seconds;
      if (folder) {
        const ensembles = judgePrefixes(line.answers, labels, k);
        await folder.writeSummary(summarise(recipe, line, ensembles));
        await folder.removeCheckpoint(generation);
      }
      onProgress?.({ type: "generation-end", generation, result });
    }
    const ensembles = judgePrefixes(line.answers, labels, k);
    const { results: generations, seconds } = line;
    const result: RunResult = { directory: folder?.directory, recipe, generations, ensembles, seconds };
    onProgress?.({ type: "end", result });
    return result;
  } catch (error) {
    if (error instanceof Diverged) {
      const generation = line.results.length;
      throw new Diverged(`generation ${generation} of ${titleOf(recipe)}: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    line.teacher?.dispose();
    for (const logits of line.answers) logits.dispose();
  }
}

/** What only the images can tell of a recipe. */
function checkRecipe(recipe: Recipe, { classes, trainCount }: Images): void {
  if (classes < 2) throw new RangeError(`the images have ${classes} class: there is nothing to tell apart`);
  if (recipe.patriarch !== "strict" && recipe.patriarch.k > classes) {
    throw new RangeError(`patriarch.k is ${recipe.patriarch.k}, but the images have ${classes} classes`);
  }
  if (trainCount === 0)
    throw new RangeError("there are no training images left: lower data.heldOut, or raise data.limit");
  if (recipe.device !== "cpu" && !torch.cudaAvailable()) {
    throw new Error(
      `device is ${recipe.device}, but this libtorch (${torch.version()}) has no CUDA: use --device cpu`,
    );
  }
}

function warningsFor({ device, precision, threads = 1 }: Recipe): string[] {
  if (device !== "cpu") return [];
  const warnings: string[] = [];
  const cores = availableParallelism();
  if (threads > cores)
    warnings.push(`${threads} threads on ${cores} cores wait for each other: slower than ${cores}`);
  const advice = threads > cores ? undefined : measureBlas().advice;
  if (advice) warnings.push(advice);
  if (precision === "bfloat16" && !hasAmx) {
    warnings.push(
      "no units for bfloat16 were found (AMX, and oneDNN in the build): precision: float32 is faster here",
    );
  }
  return warnings;
}

/** The generations that the folder holds already. */
async function recall(
  recipe: Recipe,
  folder: RunFolder | undefined,
  images: Images,
  factory: ModelFactory | undefined,
): Promise<Line> {
  const summary = await folder?.readSummary();
  const line: Line = { results: [], answers: [], teacher: undefined, seconds: 0 };
  if (!folder || !summary || summary.generations.length === 0) return line;
  line.results = summary.generations;
  line.seconds = summary.seconds;
  // A kill between a generation's summary and this leaves one, which nothing needs any more.
  for (const generation of line.results.keys()) await folder.removeCheckpoint(generation);
  line.answers = line.results.map((_, generation) => {
    const path = folder.generation(generation).testLogits;
    const answers = loadAnswers(path);
    const expected = [images.dataset.test.count, images.classes];
    if (`${answers.shape}` === `${expected}`) return answers;
    throw new Error(
      `${path}: answers of shape [${answers.shape}], but the test images call for [${expected}]`,
    );
  });
  if (line.results.length < recipe.generations) {
    const last = line.results.length - 1;
    const model = freshModel(recipe, last, images, factory);
    loadWeights(model, folder.generation(last).weights);
    line.teacher = foldBatchNorm(model);
  }
  return line;
}

/** @throws Error naming the file when its tensors are not those of the network */
export function loadWeights(model: Module, path: string): void {
  torch.scope(() => {
    const { tensors } = torch.loadSafetensors(path);
    try {
      model.loadStateDict(tensors);
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
  });
}

export function titleOf(recipe: Recipe): string {
  return recipe.title ?? `${recipe.model} on ${recipe.data.name}`;
}

function summarise(recipe: Recipe, line: Line, ensembles: Summary["ensembles"]): Summary {
  return {
    lyceum: lyceumVersion(),
    title: titleOf(recipe),
    generations: line.results,
    ensembles,
    seconds: line.seconds,
  };
}
