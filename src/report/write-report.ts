import { basename, join, resolve } from "node:path";
import type { AnyDataset } from "../data/index.js";
import { describeMethods, termLabels } from "../generations/index.js";
import { type Imports, libraryOf, RunFolder, writeAtomic } from "../runs/index.js";
import { readTransfer, type TransferResult, transferNames } from "../transfer/index.js";
import { classKnowledge } from "./class-knowledge.js";
import { comparePredictions } from "./comparison.js";
import { chooseDifferent, chooseExamples, type Example, type Network } from "./examples.js";
import { nameOf } from "./numbers.js";
import { page } from "./page.js";
import {
  findImages,
  type NamedLabels,
  readLabels,
  readPredictions,
  type TestLabels,
} from "./run-contents.js";

/**
 * Writes a run's `report.html`, one file that holds everything it shows. Where something is missing, such as
 * images that are on another machine or logits that were removed, the page says so.
 *
 * @param options.dataset the images, when a program has handed them over and the recipe does not name a data
 *   set
 * @param options.imports what the run's recipe can name beside Lyceum's own definitions
 * @returns the path of the page
 * @throws Error when the folder is no run, has no finished generation, or its files are damaged
 */
export async function writeReport(
  directory: string,
  { dataset, imports = [] }: { dataset?: AnyDataset; imports?: Imports } = {},
): Promise<string> {
  const run = await RunFolder.open(directory, imports);
  await run.askForImports(imports);
  const library = libraryOf(imports);
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
    .filter((network): network is Network => network.predictions !== undefined);
  const images = await findImages(run, library, dataset);
  const fits = (set: AnyDataset) =>
    networks.every(
      ({ predictions: { images, classes } }) =>
        images === set.test.count && classes === set.classNames.length,
    );

  let examples: Example[] | string;
  let different: Example[] = [];
  let labels: TestLabels | undefined;
  if (networks.length < shown.length)
    examples = "the generations' test-logits.safetensors are not in the run folder";
  else if (typeof images === "string") {
    examples = images;
    labels = readLabels(run, shown.at(-1)!.generation);
  } else if (!fits(images)) examples = "the stored logits are not for these test images";
  else {
    examples = await chooseExamples(images, networks);
    labels = { labels: images.test.labels, classNames: images.classNames };
    if (networks.length > 1) different = await chooseDifferent(images, networks);
  }
  const isJudged = labels && networks.every(({ predictions }) => predictions.images === labels.labels.length);
  const judged = isJudged ? labels : undefined;
  const [first, second] = networks;
  const path = join(run.directory, "report.html");
  await writeAtomic(
    path,
    page({
      run: basename(resolve(run.directory)),
      recipe,
      summary,
      metrics: await run.readMetrics(),
      environment: await run.readEnvironment(),
      testImages: networks[0]?.predictions.images,
      comparison:
        judged && second && comparePredictions(first!.predictions, second.predictions, judged.labels),
      examples,
      different,
      classes: judged && hasNames(judged) ? classKnowledge(judged, networks) : undefined,
      transfers: await readTransfers(run.directory),
      methodLines: describeMethods({ recipe, library }),
      termLabel: termLabels({ recipe, library }),
    }),
  );
  return path;
}

async function readTransfers(directory: string): Promise<TransferResult[]> {
  const found = [];
  for (const name of await transferNames(directory)) found.push(await readTransfer(directory, name));
  return found.filter((result) => result !== undefined);
}

const hasNames = (labels: TestLabels): labels is NamedLabels => labels.classNames !== undefined;
