import { existsSync } from "node:fs";
import { join } from "node:path";
import { Predictions } from "../analysis/index.js";
import type { Dataset } from "../data/index.js";
import { loadTestLogits, prepareImages } from "../generations/index.js";
import { type Recipe, tolerance } from "../recipe/index.js";
import { RunFolder, writeAtomic } from "../runs/index.js";
import { comparePredictions } from "./comparison.js";
import { chooseExamples, type Example } from "./examples.js";
import { fixed, nameOf } from "./numbers.js";
import { page } from "./page.js";

/**
 * Writes a run's `report.html`, one file that holds all it shows. Where something is missing (the images are on another
 * machine, the logits were removed) the page says so.
 *
 * @param dataset the images, when they were the code's own and the recipe cannot name them
 * @returns the page's path
 * @throws Error when the folder is no run, has no finished generation, or its files are damaged
 */
export async function writeReport(
  directory: string,
  { dataset }: { dataset?: Dataset } = {},
): Promise<string> {
  const run = await RunFolder.open(directory);
  const summary = await run.readSummary();
  if (!summary || summary.generations.length === 0)
    throw new Error(`${directory}: no generation is finished yet`);
  const { recipe } = run;
  const shown = [...new Set([summary.generations[0]!, summary.generations.at(-1)!])];
  const networks = shown
    .map(({ generation, role }) => ({
      name: nameOf(generation, role),
      generation,
      predictions: readPredictions(run, generation),
    }))
    .filter(
      (network): network is typeof network & { predictions: Predictions } =>
        network.predictions !== undefined,
    );
  const images = await findImages(run, dataset);
  const fits = (set: Dataset) =>
    networks.every(
      ({ predictions: { images, classes } }) =>
        images === set.test.count && classes === set.classNames.length,
    );

  let examples: Example[] | string;
  let comparison: ReturnType<typeof comparePredictions> | undefined;
  if (networks.length < shown.length)
    examples = "the generations' test-logits.safetensors are not in the run folder";
  else if (typeof images === "string") examples = images;
  else if (!fits(images)) examples = "the stored logits are not for these test images";
  else {
    examples = await chooseExamples(images, networks);
    if (networks.length > 1)
      comparison = comparePredictions(networks[0]!.predictions, networks[1]!.predictions, images.test.labels);
  }
  const path = join(run.directory, "report.html");
  await writeAtomic(
    path,
    page({
      recipe,
      summary,
      metrics: await run.readMetrics(),
      environment: await run.readEnvironment(),
      testImages: networks[0]?.predictions.images,
      comparison,
      examples,
      methodLines: methodLines(recipe),
    }),
  );
  return path;
}

/** Loads the run's images, or says in words why they cannot be had. */
async function findImages({ recipe }: RunFolder, given: Dataset | undefined): Promise<Dataset | string> {
  try {
    return (await prepareImages(recipe, given)).dataset;
  } catch (error) {
    return `the images could not be read (${(error as Error).message.split("\n")[0]})`;
  }
}

/**
 * What a generation predicted for the test images at its training's end; undefined where its logits are not there.
 *
 * @throws Error that names the file when it does not hold logits [N, C]
 */
function readPredictions(run: RunFolder, generation: number): Predictions | undefined {
  const path = run.generation(generation).testLogits;
  if (!existsSync(path)) return undefined;
  using logits = loadTestLogits(path);
  return new Predictions(logits, { name: path });
}

/** What patriarch and students learn from, in words. */
function methodLines({ patriarch, student, generations }: Recipe): [string, string][] {
  const tolerant = tolerance(patriarch);
  const lines: [string, string][] = [
    [
      "patriarch",
      tolerant
        ? `tolerant: primary score ${fixed(tolerant.primaryScore, 2)} with K = ${tolerant.k} (cross-entropy weighs ${fixed(tolerant.hardWeight)})`
        : "strict: cross-entropy alone",
    ],
  ];
  if (generations > 1)
    lines.push([
      "students",
      `labels weigh ${student.hardWeight}, the teacher ${student.softWeight}, at temperature ${student.temperature}`,
    ]);
  return lines;
}
