/** What a page or a log of events shows of a run beside its numbers: the images, and what its networks predicted for them. */
import { existsSync } from "node:fs";
import { Predictions } from "../analysis/index.js";
import type { AnyDataset } from "../data/index.js";
import { loadTestLabels, loadTestLogits, prepareImages } from "../generations/index.js";
import type { Library } from "../recipe/index.js";
import { describeWeights, type RunFolder } from "../runs/index.js";
import { readSafetensorsMetadata } from "../torch/index.js";

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

/** Labels of the test images, without the images. */
export interface TestLabels {
  /** A class for each image. */
  labels: Int32Array;
  /** The names of the classes; undefined where they are not known. */
  classNames: readonly string[] | undefined;
}

/** Labels whose classes have names. */
export interface NamedLabels extends TestLabels {
  classNames: readonly string[];
}

/**
 * Reads the labels that lie beside a generation's logits, for runs whose images are not here.
 *
 * @returns undefined where an earlier version wrote the run
 * @throws Error that names the file which is damaged
 */
export function readLabels(run: RunFolder, generation: number): TestLabels | undefined {
  const { testLogits, weights } = run.generation(generation);
  const labels = loadTestLabels(testLogits);
  if (!labels) return undefined;
  const metadata = existsSync(weights) ? readSafetensorsMetadata(weights) : undefined;
  return { labels, classNames: metadata && describeWeights(weights, metadata).classNames };
}
