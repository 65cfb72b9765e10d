import { join } from "node:path";
import type { Dataset } from "../data/index.js";
import { prepareImages } from "../generations/index.js";
import { RunFolder, writeAtomic } from "../runs/index.js";
import { type Answers, readAnswers } from "./answers.js";
import { compareAnswers } from "./comparison.js";
import { chooseExamples, type Example } from "./examples.js";
import { nameOf } from "./numbers.js";
import { page } from "./page.js";

/**
 * Writes a run's `report.html`: one file that shows all it needs. What is missing (the images are on another machine,
 * the answers were removed) is said in its place.
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
      answers: readAnswers(run, generation),
    }))
    .filter((network): network is typeof network & { answers: Answers } => network.answers !== undefined);
  const images = await findImages(run, dataset);
  const fits = (set: Dataset) =>
    networks.every(
      ({ answers: { images, classes } }) => images === set.test.count && classes === set.classNames.length,
    );

  let examples: Example[] | string;
  let comparison: ReturnType<typeof compareAnswers> | undefined;
  if (networks.length < shown.length)
    examples = "the generations' test-logits.safetensors are not in the run folder";
  else if (typeof images === "string") examples = images;
  else if (!fits(images)) examples = "the stored answers are not for these test images";
  else {
    examples = await chooseExamples(images, networks);
    if (networks.length > 1)
      comparison = compareAnswers(networks[0]!.answers, networks[1]!.answers, images.test.labels);
  }
  const path = join(run.directory, "report.html");
  await writeAtomic(
    path,
    page({
      recipe,
      summary,
      metrics: await run.readMetrics(),
      environment: await run.readEnvironment(),
      testImages: networks[0]?.answers.images,
      comparison,
      examples,
    }),
  );
  return path;
}

/** The run's images, or in words why they cannot be had. */
async function findImages({ recipe }: RunFolder, given: Dataset | undefined): Promise<Dataset | string> {
  try {
    return (await prepareImages(recipe, given)).dataset;
  } catch (error) {
    return `the images could not be read (${(error as Error).message.split("\n")[0]})`;
  }
}
