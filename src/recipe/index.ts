export { readBoundedText } from "./bounded-file.js";
export {
  listRecipes,
  loadRecipe,
  loadStoredRecipe,
  RecipeError,
  recipeToYaml,
  resolveRecipe,
} from "./load.js";
export { nearest } from "./nearest.js";
export {
  classCount,
  type Recipe,
  type RecipeInput,
  recipeSchema,
  tolerance,
} from "./schema.js";
