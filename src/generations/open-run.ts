/** Opens the run folder that a line is kept in, as the caller asks: a new one, one to go on with, or none. */
import type { AnyDataset } from "../data/index.js";
import { type Library, type Recipe, type RecipeInput, readRecipe } from "../recipe/index.js";
import { describeEnvironment, filesOf, type Imports, libraryOf, RunFolder } from "../runs/index.js";
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
  /** What the recipe can name beside Lyceum's own definitions: imported files, or definitions. */
  imports?: Imports | undefined;
}

/**
 * A resolved recipe, the definitions that its names stand for, and its folder, which is held until this is
 * disposed of.
 */
export interface OpenRun extends AsyncDisposable {
  recipe: Recipe;
  library: Library;
  folder: RunFolder | undefined;
}

/**
 * Resolves the recipe and makes or opens its folder.
 *
 * @throws RecipeError when the recipe is wrong, TypeError when `resume` is wrong or has no directory, Error
 *   when the folder cannot be used
 */
export async function openRun(input: RecipeForImages | Recipe, options: OpenRunOptions): Promise<OpenRun> {
  const { directory, resume = false, imports: given = [] } = options;
  if (![true, false, "auto"].includes(resume))
    throw new TypeError(`resume must be true, false or "auto", got ${JSON.stringify(resume)}`);
  const { recipe, definitions, library } = readRecipe(named(input, options), libraryOf(given));
  // Definitions that stand in the recipe are imports too, since the stored recipe holds only their names.
  const imports = [...given, ...definitions];
  if (directory === undefined) {
    if (resume) throw new TypeError("resume needs the directory of the run to go on with");
    return { recipe, library, folder: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const goesOn = resume === true || (resume === "auto" && (await RunFolder.isBegun(directory)));
  if (!goesOn) {
    const folder = await RunFolder.create(directory, recipe, await environmentOf(recipe, imports));
    return { recipe, library, folder, [Symbol.asyncDispose]: () => folder.close() };
  }
  const begun = await RunFolder.open(directory, imports);
  // A run of another format is refused for that, not for what its recipe then looks like.
  await begun.readEnvironment();
  const stored = begun.recipe;
  if (resume === "auto") RunFolder.checkSame(directory, stored, recipe);
  const folder = await RunFolder.resume(directory, await environmentOf(stored, imports), imports);
  return { recipe: folder.recipe, library, folder, [Symbol.asyncDispose]: () => folder.close() };
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

async function environmentOf(recipe: Recipe, imports: Imports) {
  // Threads are set before the environment is described, which records how many the training uses.
  useThreads(recipe);
  const files = filesOf(imports);
  return {
    ...(await describeEnvironment({ device: recipe.device })),
    ...(files.length > 0 && { imports: files }),
  };
}
