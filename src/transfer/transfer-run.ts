import { basename } from "node:path";
import { checksumOf } from "../data/index.js";
import {
  type GenerationResult,
  type Imports,
  libraryOf,
  lyceumVersion,
  RunFolder,
  type TransferSummary,
} from "../runs/index.js";
import { sha256OfFile } from "../sha256.js";
import type { Device } from "../torch/index.js";
import { BegunTransfer } from "./begun.js";
import { type ClassifierName, classifiers } from "./classifiers/index.js";
import { evaluateFeatures, type FeatureParts } from "./evaluate-features.js";
import { collectFeatures } from "./feature-set.js";
import type { Spatial } from "./features-of.js";
import { findLayer, layerInWords } from "./layer.js";
import { loadNetwork, type Network, useKernels } from "./load-network.js";
import type { Scaling } from "./scaling.js";
import { spreadOf } from "./spread.js";
import { type DataInput, inputOf, loadTransferData, type TransferData } from "./transfer-data.js";
import { namePattern, type TransferEntry, type TransferResult, writeTransfer } from "./transfer-file.js";

export interface TransferOptions {
  /** The images, as a recipe's `data`. */
  data: DataInput;
  /** The name of the result, `transfer/NAME.json`. Default: that of the data set, or of its folder. */
  name?: string | undefined;
  /** The generations to try. Default: all that are finished. */
  generations?: readonly number[] | undefined;
  /** The classifiers. Default: all of them. */
  classifiers?: readonly ClassifierName[] | undefined;
  /** Training images of each class, drawn at random; several numbers are tried one after the other. Default: all images. */
  shots?: readonly number[] | undefined;
  /** How often training images are drawn, for each number of shots. Default: 5. */
  splits?: number | undefined;
  /** Folds of the cross-validation that chooses C. Default: 3. */
  folds?: number | undefined;
  /** Decides what is drawn. Default: 0. */
  seed?: number | undefined;
  /** How features are scaled for the linear classifiers. Default: "standardise". */
  scaling?: Scaling | undefined;
  /** As for `featuresOf`. */
  layer?: string | undefined;
  /** As for `featuresOf`. */
  spatial?: Spatial | undefined;
  imports?: Imports | undefined;
  /** Where features are computed; classifiers are fitted on the CPU. Default: "cpu". */
  device?: Device | undefined;
  signal?: AbortSignal | undefined;
  /** Told what a user should know of the images. */
  onNote?: ((note: string) => void) | undefined;
  onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** How far a transfer has come with one generation: images whose features are there, or classifiers that are tested. */
export interface TransferProgress {
  generation: number;
  doing: "images" | "classifiers";
  done: number;
  of: number;
}

/**
 * Measures how well the features of a run's networks serve on other images: classifiers are fitted to the features of training
 * images and tested on others. Every generation sees the same draws of images. The result is written into the run's folder, as
 * `transfer/NAME.json` and in short in `summary.json`.
 *
 * @throws Error when the folder is no run, another process is at work in it, or its files are damaged; RangeError when an option
 *   is out of range or a class has too few images; the signal's reason when it is aborted: what is finished by then is kept, and
 *   the next transfer of the same name and options goes on with it
 */
export async function transferRun(directory: string, options: TransferOptions): Promise<TransferResult> {
  const began = performance.now();
  const { imports = [], layer, spatial = "mean", signal, onNote, device = "cpu" } = options;
  const chosen = classifiers.filter(({ name }) => options.classifiers?.includes(name) ?? true);
  const counts = checkCounts(options);
  for (const classifier of chosen) {
    const missing = "missing" in classifier ? classifier.missing() : undefined;
    if (missing) throw new Error(missing);
  }
  const run = await RunFolder.look(directory);
  const library = libraryOf(imports);
  if (!library.find("model", run.recipe.model)) await run.askForImports(imports);
  if ((await run.status()).state === "training")
    throw new Error(`${directory}: another process is at work in this run: wait until it has ended`);
  const finished = (await run.readSummary())?.generations ?? [];
  const wanted = chooseGenerations(directory, finished, options.generations);
  const name = options.name ?? nameOf(options.data);
  if (!namePattern.test(name))
    throw new RangeError(
      `the name ${JSON.stringify(name.slice(0, 100))}: must be of letters, digits, -, _ and . (--name)`,
    );

  using _ = useKernels(run.recipe.kernels);
  let data: TransferData | undefined;
  let inWords = "";
  let begun: BegunTransfer | undefined;
  const results: TransferResult["generations"][number][] = [];
  for (const { generation, role } of wanted) {
    using network = loadNetwork(run.generation(generation).weights, { layer, imports, device });
    if (!data) {
      data = await loadTransferData(options.data, network.description, { library, signal });
      for (const note of data.notes) onNote?.(note);
    }
    inWords = layerInWords(findLayer(network.model, layer));
    begun ??= await BegunTransfer.find(run.directory, name, {
      lyceum: lyceumVersion(),
      ...{ data: data.spec, images: checksumsOf(data), layer: inWords, spatial, counts },
      ...{
        scaling: options.scaling,
        classifiers: chosen.map((each) => each.name),
        kernels: run.recipe.kernels,
      },
      ...{ weights: wanted.map((each) => [each.generation, weightsOf(run, each.generation)]) },
    });
    const missing = counts.shots.some((shots) => !begun!.part(generation, shots));
    if (begun.length > 0 && generation === wanted[0]!.generation) onNote?.(goesOn(begun));
    if (missing) await judgeMissing(begun, network, { ...options, ...counts, data, generation, chosen });
    const found = counts.shots.map((shots) => begun!.part(generation, shots)!);
    const entries = found.flatMap((part) => part.entries);
    results.push({ generation, role, features: found[0]!.features, results: entries });
  }
  const { dataset, spec } = data!;
  const result = {
    lyceum: lyceumVersion(),
    ...{ name, data: spec, classes: dataset.classNames.length },
    images: { train: dataset.train.count, test: dataset.test.count },
    ...{ layer: inWords, spatial, scaling: options.scaling ?? "standardise" },
    ...{ shots: counts.shots, splits: counts.splits, folds: counts.folds, seed: counts.seed },
    date: new Date().toISOString(),
    seconds: (performance.now() - began) / 1000,
    generations: results,
  };
  signal?.throwIfAborted();
  await writeTransfer(run.directory, result);
  await run.changeSummary((summary) => ({
    ...summary,
    generations: summary.generations.map((each) => {
      const found = results.find(({ generation }) => generation === each.generation);
      return found ? { ...each, transfer: summaryOf(name, found.results) } : each;
    }),
  }));
  await begun?.finish();
  return { format: 1, ...result };
}

function goesOn({ length }: BegunTransfer): string {
  return `goes on with a transfer of this name that was stopped: ${length} of its parts are there`;
}

const weightsOf = (run: RunFolder, generation: number) => sha256OfFile(run.generation(generation).weights);

const checksumsOf = ({ dataset: { train, test, classNames } }: TransferData) => [
  checksumOf(train),
  test.count > 0 && checksumOf(test),
  classNames,
];

/** Checks the numbers among the options, and fills their defaults in. */
function checkCounts({ shots, splits = 5, folds = 3, seed = 0 }: TransferOptions) {
  const refuse = (what: string, value: unknown) => {
    throw new RangeError(`${what}, got ${value}`);
  };
  const isWhole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!isWhole(splits, 1, 1000)) refuse("splits must be 1 to 1000", splits);
  if (!isWhole(folds, 2, 100)) refuse("folds must be 2 to 100", folds);
  if (!Number.isSafeInteger(seed)) refuse("seed must be a whole number", seed);
  if (shots && (shots.length === 0 || shots.length > 100 || !shots.every((n) => isWhole(n, 2, 1_000_000))))
    refuse("shots must be whole numbers from 2, since C is chosen by cross-validation", shots.join(", "));
  const sorted: (number | null)[] = shots ? [...new Set(shots)].sort((a, b) => a - b) : [null];
  return { shots: sorted, splits: shots ? splits : 1, folds, seed };
}

function chooseGenerations(
  directory: string,
  finished: readonly GenerationResult[],
  asked: readonly number[] | undefined,
): GenerationResult[] {
  if (finished.length === 0) throw new Error(`${directory}: no generation is finished yet`);
  const missing = asked?.find((number) => !finished.some(({ generation }) => generation === number));
  if (missing !== undefined || asked?.length === 0)
    throw new RangeError(
      `${directory}: no generation ${missing ?? ""}; finished ones: 0 to ${finished.length - 1}`,
    );
  return finished.filter(({ generation }) => asked?.includes(generation) ?? true);
}

/** Names a transfer by its data set, or by its folder. */
function nameOf(data: DataInput): string {
  const { name, folder, root } = (typeof data === "string" ? { name: data } : data) as Record<
    string,
    unknown
  >;
  const place = folder ?? (name === "folder" ? root : undefined);
  return basename(String(place ?? name))
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[^A-Za-z0-9_]+/, "")
    .slice(0, 100);
}

async function takeFeatures(
  { model, description }: Network,
  { dataset }: TransferData,
  {
    generation,
    onProgress,
    layer,
    spatial,
    device,
    signal,
  }: Pick<TransferOptions, "onProgress" | "layer" | "spatial" | "device" | "signal"> & { generation: number },
): Promise<FeatureParts> {
  const of = dataset.train.count + dataset.test.count;
  const take = async (set: typeof dataset.train, before: number) => {
    using input = inputOf(set, description);
    return await collectFeatures(model, input.loader, {
      ...{ layer, spatial, device, signal, prepare: input.prepare },
      onProgress: (done) => onProgress?.({ generation, doing: "images", done: before + done, of }),
    });
  };
  const train = await take(dataset.train, 0);
  if (dataset.test.count === 0) return { train, test: undefined };
  try {
    return { train, test: await take(dataset.test, dataset.train.count) };
  } catch (error) {
    train.features.dispose();
    throw error;
  }
}

/** Evaluates a generation's network for the numbers of shots that are missing, and adds each to what was begun. */
async function judgeMissing(begun: BegunTransfer, network: Network, options: JudgeOptions): Promise<void> {
  const parts = await takeFeatures(network, options.data, options);
  try {
    await judge(begun, parts, options);
  } finally {
    parts.train.features.dispose();
    parts.test?.features.dispose();
  }
}

type JudgeOptions = Omit<TransferOptions, "data" | "shots"> &
  ReturnType<typeof checkCounts> & {
    data: TransferData;
    generation: number;
    chosen: readonly (typeof classifiers)[number][];
  };

async function judge(
  begun: BegunTransfer,
  parts: FeatureParts,
  {
    data,
    chosen,
    shots: all,
    splits,
    folds,
    seed,
    scaling = "standardise",
    generation,
    signal,
    onProgress,
  }: JudgeOptions,
): Promise<void> {
  const of = all.length * splits * chosen.length;
  let done = 0;
  for (const shots of all) {
    if (begun.part(generation, shots)) {
      done += (shots === null ? 1 : splits) * chosen.length;
      continue;
    }
    const found = await evaluateFeatures(parts, {
      ...{ classNames: data.dataset.classNames, classifiers: chosen, scaling, folds, seed, splits, signal },
      shots: shots ?? undefined,
      onFitted: () => onProgress?.({ generation, doing: "classifiers", done: ++done, of }),
    });
    await begun.add({
      ...{ generation, shots, features: parts.train.features.shape[1]! },
      entries: found.map((result) => ({ shots, ...result })),
    });
  }
}

/** Gives the means over the draws of a network's results, with the largest number of shots. */
export function summaryOf(name: string, entries: readonly TransferEntry[]): TransferSummary {
  const { shots } = entries.at(-1)!;
  const short: TransferSummary = { name, shots };
  for (const entry of entries) {
    if (entry.shots !== shots) continue;
    short[`${entry.classifier}Top1`] = spreadOf(entry.top1).mean;
    short[`${entry.classifier}MeanClassAccuracy`] = spreadOf(entry.meanClassAccuracy).mean;
  }
  return short;
}
