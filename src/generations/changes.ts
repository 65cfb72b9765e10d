/** What of a run's recipe may change when the run goes on, and what of it may not any more. */
import { teachersOf as teachersAsked } from "../methods/index.js";
import { type Library, type Recipe, RecipeError, readRecipe } from "../recipe/index.js";
import { CHANGEABLE, differingKeys } from "../runs/index.js";
import type { Reached } from "../training/index.js";
import { type Experiment, epochsOf, methodOf } from "./experiment.js";
import { scheduleFor } from "./learner.js";
import { lossReads } from "./loss-reads.js";

/**
 * Changes with which a run goes on: keys of the recipe with their new values. What the networks learn that are trained
 * already cannot change with them.
 */
export interface RunChanges {
  title?: string;
  description?: string;
  /** A longer line, or one that ends with a generation that is finished. */
  generations?: number;
  /** Epochs for the generations to come, and for the one under way where nothing that it did follows from their number. */
  epochs?: number;
  validateEvery?: number;
  checkpointEvery?: number;
  device?: string;
  threads?: number;
  data?: { root?: string };
}

/** How far a line has come. */
export interface LineReached {
  /** The number of finished generations. */
  finished: number;
  /** How far the generation after them has come; undefined where it has not begun. */
  underWay: Reached | undefined;
}

/**
 * Makes the recipe with which a run goes on.
 *
 * @throws RecipeError that names the key when a value is wrong, or when the key decides what the run's networks learn
 */
export function changedRecipe(stored: Recipe, changes: RunChanges, library: Library): Recipe {
  const { recipe } = readRecipe(merged(stored, changes), library);
  const deciding = differingKeys(stored, recipe).filter((key) => key !== "epochs");
  if (deciding.length === 0) return recipe;
  const named = leaves(changes).filter((path) => deciding.includes(path.split(".")[0]!));
  throw new RecipeError(
    `${(named.length > 0 ? named : deciding).join(", ")}: cannot change while a run goes on, since what its networks learn ` +
      `follows from it: begin a new run. What can change are ${CHANGEABLE}, and epochs for networks that are still to be trained`,
  );
}

/**
 * Checks that a changed recipe says the truth of everything that is trained already: the run must be one that could have been
 * begun with it, but for the epochs of finished generations.
 *
 * @param experiment with the changed recipe
 * @param before the recipe by which the run went until now
 * @throws RecipeError that names the key, and what to do
 */
export function checkChange(
  experiment: Omit<Experiment, "folder">,
  before: Recipe,
  { finished, underWay }: LineReached,
): void {
  const { recipe } = experiment;
  if (recipe.generations < finished)
    throw new RecipeError(
      `generations: ${recipe.generations} is too few, since ${finished} are finished, and none is taken away: at least ${finished}`,
    );
  const begun = finished + (underWay ? 1 : 0);
  if (recipe.generations !== before.generations)
    for (let generation = 0; generation < Math.min(begun, recipe.generations); generation++)
      checkSamePlace(experiment, before, generation);
  if (recipe.epochs !== before.epochs && underWay && finished < recipe.generations)
    checkSameBeginning(experiment, before, finished, underWay);
}

/** @throws RecipeError when a generation that is trained would have learnt otherwise in a line of the new length */
function checkSamePlace(experiment: Omit<Experiment, "folder">, before: Recipe, generation: number): void {
  const { recipe, library, images } = experiment;
  const [then, now] = [
    methodOf({ recipe: before, library }, generation),
    methodOf({ recipe, library }, generation),
  ];
  const text = (value: unknown) => JSON.stringify(value);
  const keys = Object.keys({ ...then.options, ...now.options });
  const differing = keys.find((key) => text(then.options[key]) !== text(now.options[key]));
  const role = generation === 0 ? "patriarch" : "student";
  const refuse = (key: string, why: string) => {
    throw new RecipeError(
      `generations: the line cannot become ${recipe.generations} instead of ${before.generations} long: ${key} ${why}, so that ` +
        `generation ${generation}, which is trained already, would have learnt otherwise. Begin a new run of that length`,
    );
  };
  if (differing !== undefined)
    refuse(
      `${role}.${differing}`,
      `follows from the line's length (${text(then.options[differing])} here, ${text(now.options[differing])} then)`,
    );
  const teachers = ({ method, options }: typeof then) => text(teachersAsked(method, generation, options));
  if (teachers(then) !== teachers(now)) refuse(`${role}.method`, "asks for other teachers then");
  if (lossReads(now.method, now.options, { generation, classes: images.classes }).has("generations"))
    refuse(`${role}.method`, `(${now.method.name}) asks how long the line is`);
}

/**
 * Checks that a generation under way did nothing yet that follows from its number of epochs.
 *
 * @throws RecipeError that says what did, and that the generation can be finished first
 */
function checkSameBeginning(
  experiment: Omit<Experiment, "folder">,
  before: Recipe,
  generation: number,
  { epoch, step }: Reached,
): void {
  const { recipe, library, images } = experiment;
  const { stepsPerEpoch } = images;
  const then = { recipe: before, library };
  const [epochs, epochsBefore] = [epochsOf(experiment, generation), epochsOf(then, generation)];
  if (epochs === epochsBefore) return;
  const refuse = (why: string) => {
    throw new RecipeError(
      `epochs: generation ${generation} has done ${epoch} of ${epochsBefore} epochs, and ${why}. Finish it as it began ` +
        `(npx lyceum train --resume RUN --generations ${generation + 1}), then go on with ${recipe.epochs} epochs and more generations`,
    );
  };
  if (epochs <= epoch) refuse(`${epochs} are no more than that`);
  if (epoch >= epochsBefore) refuse("its training is done");
  const [ratesThen, ratesNow] = [
    scheduleFor(then, generation, stepsPerEpoch),
    scheduleFor(experiment, generation, stepsPerEpoch),
  ];
  for (let done = 0; done < epoch * stepsPerEpoch + step; done++)
    if (ratesThen(done) !== ratesNow(done))
      refuse(
        `its learning rate followed schedule.kind ${recipe.schedule.kind}, by which it depends on their number`,
      );
  const { method, options } = methodOf(experiment, generation);
  const reads = lossReads(method, options, { generation, classes: images.classes });
  if (reads.has("epochs") || reads.has("progress"))
    refuse(`its method, ${method.name}, asks how much of the training is done`);
  const { averageWeights } = recipe;
  for (let done = 1; done <= epoch; done++) {
    if (
      method.snapshot &&
      method.snapshot(done, options, epochs) !== method.snapshot(done, options, epochsBefore)
    )
      refuse(`its method, ${method.name}, took snapshots at epochs that follow from their number`);
    if (averageWeights && "from" in averageWeights) {
      const inTail = (all: number) => done - 1 >= Math.round(averageWeights.from * all);
      if (inTail(epochs) !== inTail(epochsBefore))
        refuse("averageWeights.from took weights that follow from it");
    }
  }
}

/** Puts changes into a recipe; inner mappings are merged. */
function merged(stored: object, changes: object): object {
  const result: Record<string, unknown> = { ...stored };
  for (const [key, value] of Object.entries(changes)) {
    const inner = result[key];
    result[key] = isMapping(value) && isMapping(inner) ? merged(inner, value) : value;
  }
  return result;
}

/** The paths of all values in nested mappings, such as "data.root". */
function leaves(changes: object): string[] {
  return Object.entries(changes).flatMap(([key, value]) =>
    isMapping(value) ? leaves(value).map((path) => `${key}.${path}`) : [key],
  );
}

const isMapping = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
