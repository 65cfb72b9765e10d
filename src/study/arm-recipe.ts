/** The recipe that an arm of a study makes of the base recipe. */
import {
  applyOverride,
  isTooDeep,
  type Library,
  nearest,
  type Problem,
  type Recipe,
  RecipeError,
  resolveRecipe,
  show,
  showPath,
} from "../recipe/index.js";

/**
 * Makes the recipe of an arm, of seed 0.
 *
 * @param wrong makes the error of problems; it is told whether they stand in the base recipe, whatever arm
 * @throws the error that `wrong` makes
 */
export function recipeOf(
  base: Record<string, unknown>,
  changes: Record<string, unknown>,
  library: Library,
  wrong: (problems: readonly Problem[], inBase: boolean) => Error,
): Recipe {
  let input: unknown = base;
  for (const [key, value] of Object.entries(changes)) {
    const keys = key.split(".");
    if (["seed", "title", "description"].includes(keys[0]!))
      throw wrong(
        [{ path: [], message: `an arm cannot change ${keys[0]}: seeds are listed once, for all arms alike` }],
        false,
      );
    if (isTooDeep(keys))
      throw wrong([{ path: [], message: `${showPath([key])}: no key lies so deep` }], false);
    input = applyOverride(input, { path: keys, value });
  }
  if (Object.hasOwn(base, "seed"))
    throw wrong(
      [{ path: ["seed"], message: "the base recipe has a seed: list it in `seeds` instead" }],
      true,
    );
  const found = resolved(input, library);
  if (!Array.isArray(found)) return found as Recipe;
  const ofBase = resolved(base, library);
  throw wrong(found, JSON.stringify(ofBase) === JSON.stringify(found));
}

/** The keys whose names may be those of definitions of one's own. */
const naming = /^(?:data|patriarch|student|optimizer|schedule)(?:\.(?:name|method|kind))?$/;
/** What is said of a name that nothing is called by, nor by one nearly so. */
const unknownName = /^must be .* given "(?:[^"\\]|\\.)*"$/;

/** Resolves a recipe, or lists what is wrong with it. */
function resolved(input: unknown, library: Library): Recipe | Problem[] {
  let recipe: Recipe;
  try {
    recipe = resolveRecipe(input, library);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    if (error.problems.length === 0) return [{ path: [], message: error.message }];
    return error.problems.map(({ path, message }) => {
      const isName = naming.test(path.map(String).join(".")) && unknownName.test(message);
      return { path, message: isName ? `${message}; one of your own comes by --import` : message };
    });
  }
  // In code a recipe may name a network or images that are handed over beside it. A study has only its library.
  for (const [path, kind, name] of [
    [["data", "name"], "dataset", recipe.data.name],
    [["model"], "model", recipe.model],
  ] as const) {
    if (library.find(kind, name)) continue;
    const names = library.all(kind).map((one) => one.name);
    const meant = nearest(name, names);
    const hint = meant ? `did you mean "${meant}"?` : "one of your own comes by --import";
    return [{ path: [...path], message: `must be one of ${names.join(", ")}, given ${show(name)}; ${hint}` }];
  }
  return recipe;
}
