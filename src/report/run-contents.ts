/** What a page or a log of events shows of a run beside its numbers: the images, and what its networks predicted for them. */
import { existsSync } from "node:fs";
import { Predictions } from "../analysis/index.js";
import type { AnyDataset } from "../data/index.js";
import { loadTestLogits, prepareImages } from "../generations/index.js";
import type { Library } from "../recipe/index.js";
import type { RunFolder } from "../runs/index.js";

/** Loads the run's images, or says in words why they cannot be loaded. */
export async function findImages(
  { recipe }: RunFolder,
  library: Library,
  dataset: AnyDataset | undefined,
): Promise<AnyDataset | string> {
  try {
    return (await prepareImages(recipe, { library, dataset })).dataset;
  } catch (error) {
    return `the images could not be read (${(error as Error).message.split("\n")[0]})`;
  }
}

/**
 * Reads what a generation predicted for the test images at the end of its training.
 *
 * @returns undefined where the file of its logits is missing
 * @throws Error that names the file when it does not hold logits [N, C]
 */
export function readPredictions(run: RunFolder, generation: number): Predictions | undefined {
  const path = run.generation(generation).testLogits;
  if (!existsSync(path)) return undefined;
  using logits = loadTestLogits(path);
  return new Predictions(logits, { name: path });
}
