import { Command } from "commander";
import { parseGenerations } from "../generations/generation-set.js";
import type { ClassifierName, Scaling, TransferProgress } from "../transfer/index.js";
import { counterTo } from "./counter.js";
import { dataHelp, parseData } from "./data-argument.js";
import { Interrupted, UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import { printable } from "./text.js";

interface TransferCommandOptions {
  data: string;
  name?: string;
  generations?: string;
  classifiers?: string;
  shots?: string;
  splits: string;
  folds: string;
  seed: string;
  scale: string;
  layer?: string;
  flatten?: boolean;
  device: string;
  import?: string[];
  json?: boolean;
}

export const transferCommand = () =>
  withImports(new Command("transfer"))
    .description("measure how well the features of a run's networks serve on other images")
    .argument("<run>", "a run's folder, or its name in runs/")
    .requiredOption("--data <images>", dataHelp)
    .option("--name <name>", "the result's name in the run's folder (default: that of the set or the folder)")
    .option("--generations <set>", "these generations, as 0-2 or 0,2 (default: all that are finished)")
    .option("--classifiers <list>", "of svm, logistic and knn (default: all of them)")
    .option(
      "--shots <list>",
      "training images of each class, drawn at random, as 5,10,15 (default: all images)",
    )
    .option("--splits <n>", "how often they are drawn, for each number of shots", "5")
    .option("--folds <n>", "folds of the cross-validation that chooses C", "3")
    .option("--seed <n>", "decides what is drawn", "0")
    .option(
      "--scale <how>",
      "standardise, l2 or none: how features are scaled for linear classifiers",
      "standardise",
    )
    .option(
      "--layer <name>",
      "the layer whose output is taken, as layer3.0 (default: the input of the last linear layer)",
    )
    .option("--flatten", "keep each pixel's values (default: their mean over all pixels)")
    .option("--device <device>", "where features are computed: cpu, cuda or cuda:N", "cpu")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Classifiers are fitted to the features of training images and tested on the set's test images: linear support vector
machines (liblinear) and logistic regression, whose C cross-validation on the training images chooses, and the nearest
neighbours, which need no training. Every generation sees the same images. The results are kept as transfer/NAME.json in
the run's folder; lyceum report shows them, and lyceum compare --transfer NAME compares runs. docs/transfer.md says more.

Examples:
  $ npx lyceum transfer quickstart --data photos
  $ npx lyceum transfer quickstart --data caltech-101 --shots 5,10,15 --splits 5
  $ npx lyceum transfer quickstart --data cifar100,limit.train=5000 --classifiers logistic,knn --json`,
    )
    .action(transfer);

async function transfer(nameOrPath: string, options: TransferCommandOptions): Promise<void> {
  const { classifiers, scalings, transferRun } = await import("../transfer/index.js");
  const known = classifiers.map(({ name }) => name);
  const chosen = options.classifiers?.split(",").map((name) => oneOf("--classifiers", name, known));
  const scaling = oneOf<Scaling>("--scale", options.scale, scalings);
  const shots = options.shots?.split(",").map((text) => whole("--shots", text, 2));
  const [splits, folds] = [whole("--splits", options.splits, 1), whole("--folds", options.folds, 2)];
  const seed = whole("--seed", options.seed, 0);
  const { device, layer, name } = options;
  if (!/^(cpu|cuda(:\d{1,2})?)$/.test(device))
    throw new UsageError(`--device ${device}: must be cpu, cuda or cuda:N`);
  const generations = options.generations === undefined ? undefined : parseGenerations(options.generations);
  if (options.generations !== undefined && !generations)
    throw new UsageError(
      `--generations ${options.generations}: must look like 0-2 or 0,2, each generation once`,
    );
  const path = await findRun(nameOrPath);
  const imports = await importFiles(options.import);
  const { libraryOf } = await import("../runs/index.js");
  const sets = libraryOf(imports).all("dataset");
  const data = parseData(
    options.data,
    sets.map((set) => set.name),
  );
  const { signal, stop } = listenForInterrupt({
    withinOperators: {
      output: process.stderr,
      words: "stopping after this classifier; Ctrl-C again stops at once",
    },
  });
  const show = progress();
  try {
    const result = await transferRun(path, {
      ...{ data, name, generations, shots, splits, folds, seed, scaling, layer, imports, signal },
      classifiers: chosen as ClassifierName[] | undefined,
      spatial: options.flatten ? "flatten" : "mean",
      device: device as "cpu",
      onNote: (note) => process.stderr.write(`${printable(note)}\n`),
      onProgress: show.step,
    });
    show.clear();
    if (options.json) return console.log(JSON.stringify(result, null, 2));
    const { transferText } = await import("./transfer-text.js");
    console.log(printable(`${transferText(result)}\n\nkept as transfer/${result.name}.json in ${path}`));
  } catch (error) {
    show.clear();
    if (signal.aborted)
      throw new Interrupted("stopped: what is finished is kept, and the same command goes on with it");
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  } finally {
    stop();
  }
}

/** Shows progress by a line for each generation and what is done with it. */
function progress(): { step(progress: TransferProgress): void; clear(): void } {
  let counter: ReturnType<typeof counterTo> | undefined;
  let about = "";
  return {
    step: ({ generation, doing, done, of }) => {
      const now = `${generation} ${doing}`;
      if (now !== about) {
        counter?.clear();
        counter = counterTo(process.stderr, { of, noun: `${doing}, generation ${generation}` });
        about = now;
      }
      counter!.show(done);
    },
    clear: () => counter?.clear(),
  };
}

function whole(option: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option} ${text}: must be a whole number from ${least}`);
}

function oneOf<Name extends string>(option: string, text: string, known: readonly Name[]): Name {
  const found = known.find((name) => name === text);
  if (found) return found;
  throw new UsageError(`${option} ${text}: must be of ${known.join(", ")}`);
}
