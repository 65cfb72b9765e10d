/** Where a line is kept: the run's folder, made or opened as the caller asks, or nothing. */
import type { Dataset } from "../data/index.js";
import { type Library, type Recipe, type RecipeInput, readRecipe } from "../recipe/index.js";
import { describeEnvironment, filesOf, type Imports, libraryOf, RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";
import type { Given } from "./experiment.js";

/** A recipe for images that a program hands over, which has no need to name any. */
export type RecipeForImages = Omit<RecipeInput, "data"> & Partial<Pick<RecipeInput, "data">>;

export interface OpenRunOptions extends Given {
  /** The run folder, new or empty. Nothing is written when left out. */
  directory?: string | undefined;
  /**
   * Go on with the run in `directory`; its own recipe counts then, not the one given. "auto" begins a run where there is
   * none yet, goes on with one that was begun by the same recipe, and gives back the results of a finished one.
   */
  resume?: boolean | "auto" | undefined;
  /** What names in the recipe may mean, beside Lyceum's own definitions: imported files, or definitions. */
  imports?: Imports | undefined;
}

/** A recipe, what its names mean, and its folder, which is held until this is disposed of. */
export interface OpenRun extends AsyncDisposable {
  recipe: Recipe;
  library: Library;
  folder: RunFolder | undefined;
}

/**
 * Resolves the recipe and makes or opens its folder.
 *
 * @throws RecipeError when the recipe is wrong, TypeError when `resume` is, Error when the folder cannot be used
 */
export async function openRun(input: RecipeForImages | Recipe, options: OpenRunOptions): Promise<OpenRun> {
  const { directory, resume = false, imports: given = [] } = options;
  if (![true, false, "auto"].includes(resume))
    throw new TypeError(`resume must be true, false or "auto", got ${JSON.stringify(resume)}`);
  const { recipe, definitions, library } = readRecipe(named(input, options), libraryOf(given));
  // The stored recipe knows them by name only.
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

/** A network of a program's own must not go by the default one's name, in the run folder least of all. */
function named(input: RecipeForImages | Recipe, { model, dataset }: Given): unknown {
  return {
    ...(model && { model: "own network" }),
    ...(dataset && { data: (dataset satisfies Dataset).name }),
    ...input,
  };
}

async function environmentOf(recipe: Recipe, imports: Imports) {
  // First, so that the environment notes the threads that the training uses.
  if (recipe.threads !== undefined) torch.setNumThreads(recipe.threads);
  const files = filesOf(imports);
  return {
    ...(await describeEnvironment({ device: recipe.device })),
    ...(files.length > 0 && { imports: files }),
  };
}
