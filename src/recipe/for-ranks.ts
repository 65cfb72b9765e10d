import type { Recipe } from "./types.js";

/**
 * Gives a recipe as it is for a number of processes that train together: `batchSizePerRank` becomes the batch of all.
 *
 * @param ranks the number of processes
 */
export function recipeForRanks({ batchSizePerRank, ...recipe }: Recipe, ranks: number): Recipe {
  return batchSizePerRank === undefined ? recipe : { ...recipe, batchSize: batchSizePerRank * ranks };
}
