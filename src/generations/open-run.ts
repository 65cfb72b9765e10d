/** Opens the run folder that a line is kept in, as the caller asks: a new one, one to go on with, or none. */
import type { AnyDataset } from "../data/index.js";
import { type Library, type Recipe, type RecipeInput, readRecipe, recipeForRanks } from "../recipe/index.js";
import {
  decidingRecipe,
  describeEnvironment,
  filesOf,
  type Imports,
  libraryOf,
  RunFolder,
  sha256Of,
} from "../runs/index.js";
import type { Ranks } from "../training/index.js";
import { changedRecipe, type RunChanges } from "./changes.js";
import type { Given } from "./experiment.js";
import { useThreads } from "./threads.js";

/** A recipe for images that a program hands over: `data` may be left out. */
export type RecipeForImages = Omit<RecipeInput, "data"> & Partial<Pick<RecipeInput, "data">>;

export interface OpenRunOptions extends Given {
  /** The run folder, which is made where it is missing. Nothing is written when it is left out. */
  directory?: string | undefined;
  /**
   * With true, the run in `directory` goes on, by its own recipe, not the one given. With "auto", a run is
   * begun where there is none yet, and goes on where one was begun with the same recipe; of a finished run
   * the results are returned. Default: false, by which `directory` must be new or empty.
   */
  resume?: boolean | "auto" | undefined;
  /**
   * Changes of the run's recipe with which it goes on, such as `{ generations: 8 }` for a longer line; only with `resume: true`. What
   * its networks have learnt already cannot change with them.
   */
  changes?: RunChanges | undefined;
  /** What the recipe can name beside Lyceum's own definitions: imported files, or definitions. */
  imports?: Imports | undefined;
}

/**
 * A resolved recipe, the definitions that its names stand for, and its folder, which is held until this is
 * disposed of.
 */
export interface OpenRun extends AsyncDisposable {
  recipe: Recipe;
  /** The recipe by which the run went until now, where that is another one. The folder holds it until {@link RunFolder.change}. */
  before: Recipe | undefined;
  library: Library;
  folder: RunFolder | undefined;
}

/**
 * Resolves the recipe and makes or opens its folder.
 *
 * @param ranks the processes that train together: the first one opens the folder, and the others read in it
 * @throws RecipeError when the recipe is wrong, TypeError when `resume` is wrong or has no directory, Error
 *   when the folder cannot be used
 */
export async function openRun(
  input: RecipeForImages | Recipe,
  options: OpenRunOptions,
  ranks?: Ranks,
): Promise<OpenRun> {
  if (!ranks) return await open(input, options, 1);
  const asked = readRecipe(named(input, options), libraryOf(options.imports ?? []));
  await ranks.mustAgree("recipe", {
    recipe: sha256Of(decidingRecipe(asked.recipe)),
    "imported files": sha256Of(filesOf(options.imports ?? []).map(({ sha256 }) => sha256)),
  });
  let opened: OpenRun | undefined;
  const { recipe, directory } = await ranks.decide("run", async () => {
    opened = await open(input, options, ranks.size);
    return { recipe: opened.recipe, directory: opened.folder?.directory };
  });
  if (opened) return opened;
  const { library } = asked;
  const folder = directory === undefined ? undefined : RunFolder.follow(directory, recipe);
  return { recipe, before: undefined, library, folder, [Symbol.asyncDispose]: async () => {} };
}

async function open(
  input: RecipeForImages | Recipe,
  options: OpenRunOptions,
  ranks: number,
): Promise<OpenRun> {
  const { directory, resume = false, changes = {}, imports: given = [] } = options;
  if (![true, false, "auto"].includes(resume))
    throw new TypeError(`resume must be true, false or "auto", got ${JSON.stringify(resume)}`);
  if (Object.keys(changes).length > 0 && resume !== true)
    throw new TypeError("changes are for a run that goes on: give them with resume: true");
  const read = readRecipe(named(input, options), libraryOf(given));
  const { definitions, library } = read;
  const recipe = recipeForRanks(read.recipe, ranks);
  // Definitions that stand in the recipe are imports too, since the stored recipe holds only their names.
  const imports = [...given, ...definitions];
  if (directory === undefined) {
    if (resume) throw new TypeError("resume needs the directory of the run to go on with");
    return { recipe, before: undefined, library, folder: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const goesOn = resume === true || (resume === "auto" && (await RunFolder.isBegun(directory)));
  if (!goesOn) {
    const folder = await RunFolder.create(directory, recipe, await environmentOf(recipe, imports, ranks));
    return { recipe, before: undefined, library, folder, [Symbol.asyncDispose]: () => folder.close() };
  }
  const begun = await RunFolder.open(directory, imports);
  // A run of another format is refused for that, not for what its recipe then looks like.
  await begun.readEnvironment();
  const stored = begun.recipe;
  // A batch that was given by process stays what it was when the run began.
  const asked =
    read.recipe.batchSizePerRank === undefined ? recipe : { ...recipe, batchSize: stored.batchSize };
  if (resume === "auto") RunFolder.checkSame(directory, stored, asked);
  const wanted = resume === "auto" ? longerLine(stored, recipe) : changes;
  const goingOn = changedRecipe(stored, wanted, library);
  const folder = await RunFolder.resume(directory, await environmentOf(goingOn, imports, ranks), imports);
  // A person may have edited the recipe's number of generations since the last process was at work.
  const noted = await folder.notedGenerations();
  const before = { ...stored, generations: noted ?? stored.generations };
  const isChanged = JSON.stringify(before) !== JSON.stringify(goingOn);
  return {
    recipe: goingOn,
    before: isChanged ? before : undefined,
    library,
    folder,
    [Symbol.asyncDispose]: () => folder.close(),
  };
}

/** A recipe that asks for more generations than its run has a longer line; one that asks for fewer takes nothing away. */
function longerLine(stored: Recipe, { generations }: Recipe): RunChanges {
  return generations > stored.generations ? { generations } : {};
}

/**
 * Fills in the names of what the program hands over. Without this its own network would be recorded in the
 * run folder under the name of the default network.
 */
function named(input: RecipeForImages | Recipe, { model, dataset }: Given): unknown {
  return {
    ...(model && { model: "own network" }),
    ...(dataset && { data: (dataset satisfies AnyDataset).name }),
    ...input,
  };
}

async function environmentOf(recipe: Recipe, imports: Imports, ranks: number) {
  // Threads are set before the environment is described, which records how many the training uses.
  useThreads(recipe);
  const files = filesOf(imports);
  return {
    ...(await describeEnvironment({ device: recipe.device, ranks })),
    ...(files.length > 0 && { imports: files }),
  };
}
