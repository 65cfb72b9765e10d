/** An experiment: a recipe with the definitions and images that its names stand for, ready to be trained. */
import type { AnyDataset } from "../data/index.js";
import {
  answerTemperature,
  describeMethod,
  type Method,
  optionsAt,
  peersOf,
  teachersOf as teachersAsked,
  trainedEpochs,
} from "../methods/index.js";
import type { ModelOptions } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { fineTuneInWords, type Library, optionsOf, type Recipe } from "../recipe/index.js";
import type { RunFolder } from "../runs/index.js";
import { cudaAvailable, Generator, version } from "../torch/index.js";
import type { Ranks } from "../training/index.js";
import type { Images } from "./images.js";
import { deriveSeed } from "./seeds.js";

/** A function that makes a network with fresh weights, drawn from the given generator. */
export type ModelFactory = (options: ModelOptions) => Module;

/**
 * What a program may hand over beside the recipe, when it is not made from a definition that a recipe can
 * name.
 */
export interface Given {
  /**
   * Makes a network of the program's own instead of the recipe's; it is called once for each generation. The
   * key `model` of the recipe is then only the network's name, by default "own network".
   */
  model?: ModelFactory | undefined;
  /**
   * Images of the program's own instead of the recipe's. The key `data` of the recipe is then only their
   * name, by default the name that they have.
   */
  dataset?: AnyDataset | undefined;
}

export interface Experiment {
  recipe: Recipe;
  library: Library;
  images: Images;
  /** The run's folder; undefined where nothing is to be kept. */
  folder: RunFolder | undefined;
  /** Makes the network, where the program has handed one over. */
  model: ModelFactory | undefined;
  /** The processes that train together, of which this is one; undefined where it trains alone. */
  ranks?: Ranks | undefined;
}

/** A method and its options. */
interface MethodChoice {
  method: Method;
  options: Record<string, unknown>;
}

/** Gives the method of a generation, and its options as they are for that generation. */
export function methodOf(
  experiment: Pick<Experiment, "recipe" | "library">,
  generation: number,
): MethodChoice {
  const { method, options } = chosenMethod(experiment, generation);
  const { generations } = experiment.recipe;
  return { method, options: optionsAt(method, options, { generation, generations }) };
}

/** Gives the method of a generation, and its options as the recipe has them, for all students alike. */
function chosenMethod(
  { recipe, library }: Pick<Experiment, "recipe" | "library">,
  generation: number,
): MethodChoice {
  const choice = generation === 0 ? recipe.patriarch : recipe.student;
  return { method: library.get("method", choice.method), options: optionsOf(choice, "method") };
}

/**
 * Gives the numbers of the earlier generations that teach the given one.
 *
 * @throws RangeError when the method asks for a generation that is not an earlier one, TypeError when it
 *   returns no list
 */
export function teachersOf(experiment: Pick<Experiment, "recipe" | "library">, generation: number): number[] {
  const { method, options } = methodOf(experiment, generation);
  return teachersAsked(method, generation, options);
}

/** Gives the number of epochs for which a generation is trained: the recipe's, unless its method says another. */
export function epochsOf(experiment: Pick<Experiment, "recipe" | "library">, generation: number): number {
  const { method, options } = methodOf(experiment, generation);
  return trainedEpochs(method, options, experiment.recipe.epochs);
}

/** Describes what the patriarch and the students learn from, in a line each. */
export function describeMethods(experiment: Pick<Experiment, "recipe" | "library">): [string, string][] {
  const { fineTune } = experiment.recipe;
  const line = (generation: number) => {
    const { method, options } = chosenMethod(experiment, generation);
    const words = describeMethod(method, options);
    return fineTune && generation === 0 ? `${words}; ${fineTuneInWords(fineTune)}` : words;
  };
  const students: [string, string][] = experiment.recipe.generations > 1 ? [["students", line(1)]] : [];
  return [["patriarch", line(0)], ...students];
}

/**
 * Gives a function that puts the name of a loss term into words, as the recipe's methods do; a name that none
 * of them knows is returned as it is.
 */
export function termLabels(experiment: Pick<Experiment, "recipe" | "library">): (name: string) => string {
  const words = { ...chosenMethod(experiment, 1).method.terms, ...chosenMethod(experiment, 0).method.terms };
  return (name) => (Object.hasOwn(words, name) ? words[name]! : name);
}

/**
 * Makes a generation's network with fresh weights. All generations have the same architecture, and each its
 * own weights, which follow from the recipe's seed.
 *
 * @param peer the number, from 0, of a network that is trained together with the generation's, which has weights of its own
 *   too. Default: the generation's network
 * @throws Error when the network's name stands for no definition and no network was handed over
 */
export function freshModel(
  { recipe, library, images, model: factory }: Omit<Experiment, "folder" | "images"> & { images: Shape },
  generation: number,
  peer?: number,
): Module {
  const { classes, channels, height, width } = images;
  const generator = new Generator(
    peer === undefined
      ? deriveSeed(recipe.seed, "weights", generation)
      : deriveSeed(recipe.seed, "peers", generation, peer),
  );
  const options = { classes, channels, height, width, generator };
  const definition = library.find("model", recipe.model);
  const create = factory ?? definition?.create;
  if (!create) {
    throw new Error(
      `the network "${recipe.model}" is not one of Lyceum's: give the file that defines it by --import, or, in code, ` +
        "give it again as `model` to trainGenerations (with `resume`), evaluateRun or loadModel",
    );
  }
  return checkedModel(recipe.model, create(options)).to({
    device: recipe.device as "cpu",
    memoryFormat: "channelsLast",
  });
}

/** @throws TypeError that names the network when what was made is none, or was made before */
function checkedModel(name: string, made: unknown): Module {
  const model = made as Module | undefined;
  if (typeof model?.to !== "function" || typeof model.parameters !== "function")
    throw new TypeError(
      `the network "${name}" must be made as a Module, got ${made === null ? "null" : typeof made}`,
    );
  if (!model.parameters().some(({ requiresGrad }) => requiresGrad))
    throw new TypeError(
      `the network "${name}" has no weights to train: make a new one each time, since what was trained is frozen`,
    );
  return model;
}

/** The number of classes and the size of the images that a network is made for. */
type Shape = Pick<Images, "classes" | "channels" | "height" | "width">;

/**
 * Checks what can only be checked of a recipe once the images and the machine are known.
 *
 * @throws RangeError or Error that names the problem, and the key or the remedy
 */
export function checkExperiment(experiment: Experiment): void {
  const { recipe, images } = experiment;
  const { classes, trainCount } = images;
  if (classes < 2) throw new RangeError(`the images have ${classes} class: there is nothing to tell apart`);
  for (let generation = 0; generation < Math.max(2, recipe.generations); generation++) {
    const { method, options } = methodOf(experiment, generation);
    const problem = method.check?.(options, { classes })?.[0];
    answerTemperature(method, options);
    peersOf(method, options);
    const key = generation === 0 ? "patriarch" : "student";
    if (problem) throw new RangeError(`${[key, problem.key].filter(Boolean).join(".")}: ${problem.message}`);
  }
  for (let generation = 0; generation < recipe.generations; generation++) {
    teachersOf(experiment, generation);
    epochsOf(experiment, generation);
  }
  if (trainCount === 0)
    throw new RangeError("there are no training images left: lower data.heldOut, or raise data.limit");
  if (recipe.device !== "cpu" && !cudaAvailable()) {
    throw new Error(
      `device is ${recipe.device}, but this libtorch (${version()}) has no CUDA: use --device cpu`,
    );
  }
}
