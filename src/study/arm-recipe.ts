/** The recipe that an arm of a study makes of the base recipe. */
import {
  applyOverride,
  type Library,
  nearest,
  type Recipe,
  RecipeError,
  resolveRecipe,
} from "../recipe/index.js";

/**
 * Makes the recipe of an arm, of seed 0.
 *
 * @param wrong makes the error of a message; it is told whether the mistake stands in the base recipe, whatever arm
 * @throws the error that `wrong` makes
 */
export function recipeOf(
  base: Record<string, unknown>,
  changes: Record<string, unknown>,
  library: Library,
  wrong: (message: string, inBase?: boolean) => Error,
): Recipe {
  let input: unknown = base;
  for (const [key, value] of Object.entries(changes)) {
    const keys = key.split(".");
    if (["seed", "title", "description"].includes(keys[0]!))
      throw wrong(`an arm cannot change ${keys[0]}: seeds are listed once, for all arms alike`);
    input = applyOverride(input, { path: keys, value });
  }
  if (Object.hasOwn(base, "seed"))
    throw wrong("seed: the base recipe has a seed: list it in `seeds` instead", true);
  const problem = problemOf(input, library);
  if (typeof problem !== "string") return problem;
  throw wrong(problem, problemOf(base, library) === problem);
}

/** A line that says of a name in a recipe that nothing is called so, nor nearly so. */
const unknownName =
  /^(?:data|patriarch|student|optimizer|schedule)(?:\.(?:name|method|kind))?: must be .* given "[^"]*"$/gm;

/** Resolves a recipe, or says what is wrong with it, beginning with the key. */
function problemOf(input: unknown, library: Library): Recipe | string {
  let recipe: Recipe;
  try {
    recipe = resolveRecipe(input, library);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return error.message
      .replaceAll(/^recipe: /gm, "")
      .replaceAll(unknownName, "$&; one of your own comes by --import");
  }
  // In code a recipe may name a network or images that are handed over beside it. A study has only its library.
  for (const [key, kind, name] of [
    ["data.name", "dataset", recipe.data.name],
    ["model", "model", recipe.model],
  ] as const) {
    if (library.find(kind, name)) continue;
    const names = library.all(kind).map((one) => one.name);
    const meant = nearest(name, names);
    const hint = meant ? `did you mean "${meant}"?` : "one of your own comes by --import";
    return `${key}: must be one of ${names.join(", ")}, given "${name}"; ${hint}`;
  }
  return recipe;
}
