import { Command } from "commander";
import { readableClass } from "../interop/imagenet-names.js";
import type { Prediction } from "../predict/index.js";
import { fixed } from "../report/numbers.js";
import { counterTo } from "./counter.js";
import { Interrupted, UsageError } from "./errors.js";
import { type FoundImages, findImages } from "./image-files.js";
import { withImports } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import { type AskedTexts, loadAsked, wholeNumber, withGenerations } from "./load-asked.js";
import { printable } from "./text.js";

interface PredictOptions extends AskedTexts {
  top: string;
  device?: string;
  json?: boolean;
}

const STDIN = "-";
const MAX_STDIN_BYTES = 256 * 2 ** 20;

export const predictCommand = () =>
  withGenerations(withImports(new Command("predict")))
    .description("say what a trained network sees in images")
    .argument("<run>", "a run's folder, its name in runs/, or a weights file")
    .argument("<image...>", "image files, folders of images, or - for one image from stdin")
    .option("--top <k>", "name the k best classes of each image", "5")
    .option("--device <device>", "where to compute: cpu, cuda or cuda:N", "cpu")
    .option("--json", "print one JSON object a line for each image, as soon as it is known")
    .addHelpText(
      "after",
      `
PNG, JPEG, WebP, GIF and TIFF are read, whatever their names; of folders, the files with such endings, and those in the
folders below. Images are made into what the network was trained on: size, grey or colour, normalisation. The score is the
softmax, from 0 to 1. An image that cannot be read does not stop the others; the exit code is then 1.

Examples:
  $ npx lyceum predict quickstart photo.png
  $ npx lyceum predict quickstart photos/ --top 1 --json
  $ npx lyceum predict runs/quickstart --generations 0-2 a.jpg b.webp
  $ npx lyceum predict model.safetensors - < photo.jpg`,
    )
    .action(predict);

async function predict(nameOrPath: string, paths: readonly string[], options: PredictOptions): Promise<void> {
  const top = wholeNumber("--top", options.top, 1);
  if (paths.filter((path) => path === STDIN).length > 1)
    throw new UsageError("- stands for stdin, which holds one image: give it once");
  const found = await findImages(paths);
  using model = await loadAsked(nameOrPath, options, options.device as "cpu");
  const images = await Promise.all(found.files.map((file) => (file === STDIN ? readStdin() : file)));

  const writer = (options.json ? jsonLines : lines)(found, model.classes);
  for (const { file, error } of found.problems) writer.problem(file, error);
  const total = images.length;
  const counter = counterTo(process.stderr, { of: total, noun: "images" });
  const { signal, stop } = listenForInterrupt({
    withinOperators: { output: process.stderr, words: "stopping" },
  });
  let done = 0;
  let failed = found.problems.length;
  try {
    for await (const { prediction, error } of model.predictEach(images, { top })) {
      const file = found.files[done++]!;
      counter.clear();
      if (error) {
        failed++;
        writer.problem(file, error.message.replace(`${file}: `, "").replace(/^images\[\d+\]: /, ""));
      } else writer.prediction(file, prediction);
      counter.show(done);
      if (signal.aborted && done < total) throw new Interrupted(`stopped: ${done} of ${total} images done`);
    }
  } finally {
    counter.clear();
    stop();
  }
  if (failed > 0) throw new Error(`${failed} of ${total + found.problems.length} images failed`);
}

/** Writes each result as soon as it is there. */
interface Writer {
  prediction(file: string, prediction: Prediction): void;
  problem(file: string, error: string): void;
}

function jsonLines(): Writer {
  const write = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    prediction: (file, prediction) => write({ file, ...prediction }),
    problem: (file, error) => write({ file, error }),
  };
}

/**
 * Writes the lines of a table. All names are known before the first row, so that columns can be as wide as
 * the longest.
 */
function lines({ files }: FoundImages, classes: readonly string[]): Writer {
  const width = (names: readonly string[], heading: string) =>
    names.reduce((most, name) => Math.max(most, name.length), heading.length);
  const [forFile, forClass] = [width(files, "image"), width(classes.map(readableClass), "class")];
  const row = (file: string, name: string, score: string) =>
    process.stdout.write(
      `${printable(file).padEnd(forFile)}   ${printable(name).padEnd(forClass)}   ${score.padStart(6)}\n`,
    );
  let begun = false;
  return {
    prediction: (file, { scores }) => {
      if (!begun) row("image", "class", "score");
      begun = true;
      for (const [i, best] of scores.entries())
        row(i === 0 ? file : "", readableClass(best.class), fixed(best.score, 4));
    },
    problem: (file, error) => process.stderr.write(`${printable(`${file}: ${error}`)}\n`),
  };
}

async function readStdin(): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    bytes += part.length;
    if (bytes > MAX_STDIN_BYTES)
      throw new Error(`stdin: is larger than ${MAX_STDIN_BYTES / 2 ** 20} MiB, and so is no image`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
