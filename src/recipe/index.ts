/** Recipes: reads them from text or code, checks them and fills in all defaults. */
export { readBoundedText } from "./bounded-file.js";
export { type FineTune, fineTuneInWords } from "./fine-tune.js";
export { recipeForRanks } from "./for-ranks.js";
export { builtIn, type Definition, isDefinition, type Library } from "./library.js";
export {
  type LoadRecipeOptions,
  listRecipes,
  loadRecipe,
  loadRecipeInput,
  loadStoredRecipe,
  RecipeError,
  readRecipe,
  recipeToYaml,
  resolveRecipe,
} from "./load.js";
export { nearest } from "./nearest.js";
export { applyOverride, isTooDeep, parseOverride } from "./overrides.js";
export { nestedHint, type Problem } from "./problems.js";
export { classCount, optionsOf, recipeSchema } from "./schema.js";
export { shorten, show, showPath } from "./show.js";
export { namesBeyond } from "./stand-ins.js";
export type { NotFinite, Recipe, RecipeInput } from "./types.js";
export { MAX_YAML_BYTES, type ParsedYaml, parseYaml, toYaml, YamlError } from "./yaml.js";
