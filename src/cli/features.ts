import { Command } from "commander";
import { counterTo } from "./counter.js";
import { dataHelp, parseData } from "./data-argument.js";
import { Interrupted, UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import { printable } from "./text.js";

interface FeaturesOptions {
  generation?: string;
  data: string;
  part: string;
  layer?: string;
  flatten?: boolean;
  out: string;
  device: string;
  import?: string[];
  json?: boolean;
}

export const featuresCommand = () =>
  withImports(new Command("features"))
    .description("write what a layer of a trained network makes of images: features for other programs")
    .argument("<run>", "a run's folder, or its name in runs/")
    .requiredOption("--data <images>", dataHelp)
    .requiredOption("--out <file>", "the file to write: .safetensors, or .npy for the features alone")
    .option("--generation <g>", "the generation (default: the last one finished; 0 is the patriarch)")
    .option("--part <part>", "the part of the images: train, test, or all, the training images first", "all")
    .option(
      "--layer <name>",
      "the layer whose output is taken, as layer3.0 (default: the input of the last linear layer)",
    )
    .option("--flatten", "keep each pixel's values (default: their mean over all pixels)")
    .option("--device <device>", "where to compute: cpu, cuda or cuda:N", "cpu")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
A .safetensors file holds features [N, D], labels [N], the classes' names (metadata) and the images' names. Beside a .npy
file, NAME.labels.npy and NAME.json hold the rest. Images are normalised as in the run's training; where a set can be had
in any size, it is that of the run's images.

Examples:
  $ npx lyceum features quickstart --data photos --out photos.safetensors
  $ npx lyceum features runs/quickstart --generation 0 --data mnist --layer layer3.0 --out mnist.npy
  $ npx lyceum features quickstart --data cifar10,limit.train=1000 --part train --out cifar10.safetensors`,
    )
    .action(features);

async function features(nameOrPath: string, options: FeaturesOptions): Promise<void> {
  const { data, part, layer, flatten, out, device } = options;
  if (part !== "all" && part !== "train" && part !== "test")
    throw new UsageError(`--part ${part}: must be all, train or test`);
  if (!/\.(safetensors|npy)$/.test(out))
    throw new UsageError(`--out ${out}: must end in .safetensors or .npy`);
  if (!/^(cpu|cuda(:\d{1,2})?)$/.test(device))
    throw new UsageError(`--device ${device}: must be cpu, cuda or cuda:N`);
  const path = await findRun(nameOrPath);
  const imports = await importFiles(options.import);
  const { RunFolder, libraryOf } = await import("../runs/index.js");
  const library = libraryOf(imports);
  const images = parseData(
    data,
    library.all("dataset").map(({ name }) => name),
  );
  const run = await RunFolder.look(path);
  if (!library.find("model", run.recipe.model)) await run.askForImports(imports);
  const generation = await chosenGeneration(run, options.generation);
  const { writeFeatures } = await import("../transfer/index.js");
  const { signal, stop } = listenForInterrupt({
    withinOperators: { output: process.stderr, words: "stopping" },
  });
  let counter: ReturnType<typeof counterTo> | undefined;
  try {
    const written = await writeFeatures(run.generation(generation).weights, out, {
      ...{ data: images, part, layer, spatial: flatten ? "flatten" : "mean", signal, library, imports },
      kernels: run.recipe.kernels,
      device: device as "cpu",
      onNote: (note) => process.stderr.write(`${printable(note)}\n`),
      onProgress: (done, of) => {
        counter ??= counterTo(process.stderr, { of, noun: "images" });
        counter.show(done);
      },
    });
    counter?.clear();
    console.log(
      options.json
        ? JSON.stringify({ file: out, generation, ...written })
        : `${out}: ${written.features} features of ${written.images} images`,
    );
  } catch (error) {
    counter?.clear();
    if (signal.aborted) throw new Interrupted("stopped: nothing was written");
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  } finally {
    stop();
  }
}

/** Reads `--generation`. @throws UsageError when it is no finished generation, Error when none is finished */
async function chosenGeneration(
  run: import("../runs/index.js").RunFolder,
  text: string | undefined,
): Promise<number> {
  const finished = (await run.readSummary())?.generations.length ?? 0;
  if (finished === 0) throw new Error(`${run.directory}: no generation is finished yet`);
  if (text === undefined) return finished - 1;
  if (/^\d{1,4}$/.test(text) && Number(text) < finished) return Number(text);
  throw new UsageError(`--generation ${text}: must be from 0 to ${finished - 1}, the last one finished`);
}
