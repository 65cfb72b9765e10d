/** Lyceum, whose trainings take an epoch on few images: those of the program, or drawn ones in place of a set by name. */
import { type RecipeInput, trainGenerations as train } from "../../index.js";

export * from "../../index.js";

const data = { name: "synthetic", size: 28, channels: 1, trainCount: 64, testCount: 20 };

export const trainGenerations = ((recipe: RecipeInput, options = {}) => {
  const drawn = "dataset" in options ? {} : { data };
  return train({ ...recipe, ...drawn, epochs: 1, batchSize: 32, model: "resnet8" } as RecipeInput, options);
}) as typeof train;
