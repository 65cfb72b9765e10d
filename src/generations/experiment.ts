/** A recipe with all that its names mean, ready to be trained. */
import type { Dataset } from "../data/index.js";
import { describeMethod, type Method } from "../methods/index.js";
import type { ModelOptions } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { type Library, optionsOf, type Recipe } from "../recipe/index.js";
import type { RunFolder } from "../runs/index.js";
import { cudaAvailable, Generator, version } from "../torch/index.js";
import type { Images } from "./images.js";
import { deriveSeed } from "./seeds.js";

/** Makes a network with fresh weights, drawn from the given generator. */
export type ModelFactory = (options: ModelOptions) => Module;

/** What a program hands over beside the recipe, because no name in a recipe stands for it. */
export interface Given {
  /**
   * A network of the program's own, called once for each generation, instead of the recipe's; `model` in the recipe is
   * then its name, by default "own network".
   */
  model?: ModelFactory | undefined;
  /** Images of the program's own instead of the recipe's; `data` in the recipe is then their name, by default theirs. */
  dataset?: Dataset | undefined;
}

export interface Experiment {
  recipe: Recipe;
  library: Library;
  images: Images;
  /** Undefined where nothing is to be kept. */
  folder: RunFolder | undefined;
  model: ModelFactory | undefined;
}

/** The method of a generation and its options. */
export function methodOf(
  { recipe, library }: Pick<Experiment, "recipe" | "library">,
  generation: number,
): { method: Method; options: Record<string, unknown> } {
  const choice = generation === 0 ? recipe.patriarch : recipe.student;
  return { method: library.get("method", choice.method), options: optionsOf(choice, "method") };
}

/**
 * The earlier generations that teach one.
 *
 * @throws RangeError when the method asks for a generation that is not an earlier one
 */
export function teachersOf(experiment: Pick<Experiment, "recipe" | "library">, generation: number): number[] {
  const { method, options } = methodOf(experiment, generation);
  const teachers = [...(method.teachers?.(generation, options) ?? [])];
  const wrong = teachers.find(
    (teacher) => !(Number.isInteger(teacher) && teacher >= 0 && teacher < generation),
  );
  if (wrong === undefined) return teachers;
  throw new RangeError(
    `${method.name} asks for generation ${wrong} as a teacher of generation ${generation}: only earlier ones can teach`,
  );
}

/** What the patriarch and the students learn from, in a line each. */
export function describeMethods(experiment: Pick<Experiment, "recipe" | "library">): [string, string][] {
  const line = (generation: number) => {
    const { method, options } = methodOf(experiment, generation);
    return describeMethod(method, options);
  };
  const students: [string, string][] = experiment.recipe.generations > 1 ? [["students", line(1)]] : [];
  return [["patriarch", line(0)], ...students];
}

/** The words for the terms of the losses that a recipe's methods have; a name that none knows is its own. */
export function termLabels(experiment: Pick<Experiment, "recipe" | "library">): (name: string) => string {
  const words = { ...methodOf(experiment, 1).method.terms, ...methodOf(experiment, 0).method.terms };
  return (name) => (Object.hasOwn(words, name) ? words[name]! : name);
}

/** A fresh network for a generation: the same architecture for all, weights of its own for each. */
export function freshModel(
  { recipe, library, images, model: factory }: Omit<Experiment, "folder" | "images"> & { images: Shape },
  generation: number,
): Module {
  const { classes, channels, height, width } = images;
  const generator = new Generator(deriveSeed(recipe.seed, "weights", generation));
  const options = { classes, channels, height, width, generator };
  const definition = library.find("model", recipe.model);
  const create = factory ?? definition?.create;
  if (!create) {
    throw new Error(
      `the network "${recipe.model}" is not one of Lyceum's: give the file that defines it by --import, or, in code, ` +
        "give it again as `model` to trainGenerations (with `resume`), evaluateRun or loadModel",
    );
  }
  return create(options).to({ device: recipe.device as "cpu", memoryFormat: "channelsLast" });
}

/** What a network is made for. */
type Shape = Pick<Images, "classes" | "channels" | "height" | "width">;

/**
 * What only the images and this machine can tell of a recipe.
 *
 * @throws Error that names the key and what to do
 */
export function checkExperiment(experiment: Experiment): void {
  const { recipe, images } = experiment;
  const { classes, trainCount } = images;
  if (classes < 2) throw new RangeError(`the images have ${classes} class: there is nothing to tell apart`);
  for (const [key, generation] of [
    ["patriarch", 0],
    ["student", 1],
  ] as const) {
    const { method, options } = methodOf(experiment, generation);
    const problem = method.check?.(options, { classes })[0];
    if (problem) throw new RangeError(`${[key, problem.key].filter(Boolean).join(".")}: ${problem.message}`);
  }
  for (let generation = 0; generation < recipe.generations; generation++) teachersOf(experiment, generation);
  if (trainCount === 0)
    throw new RangeError("there are no training images left: lower data.heldOut, or raise data.limit");
  if (recipe.device !== "cpu" && !cudaAvailable()) {
    throw new Error(
      `device is ${recipe.device}, but this libtorch (${version()}) has no CUDA: use --device cpu`,
    );
  }
}
