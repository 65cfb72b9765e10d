import { join } from "node:path";
import { Command, Option } from "commander";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { printable } from "./text.js";

interface ConvertOptions {
  to: "tensorboard" | "csv";
  out?: string;
  import?: string[];
  json?: boolean;
}

export const convertCommand = () =>
  withImports(new Command("convert"))
    .description("write a run for TensorBoard, or as tables for spreadsheets")
    .argument("<run>", "a run's folder, or its name in runs/; it need not be finished")
    .addOption(
      new Option("--to <format>", "tensorboard: files of events; csv: a table of epochs and one of networks")
        .choices(["tensorboard", "csv"])
        .makeOptionMandatory(),
    )
    .option("--out <folder>", "the folder to write (default: RUN/tensorboard or RUN/csv)")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
TensorBoard shows each generation as a run of its own, with a step for each epoch: losses and their terms, accuracies, learning
rate, the metrics on the test images; the recipe as text and as hyperparameters; histograms of scores, and test images on which
generations differ. Nothing is written over. In tables accuracies are fractions.

Examples:
  $ npx lyceum convert quickstart --to tensorboard && tensorboard --logdir runs/quickstart/tensorboard
  $ npx lyceum convert runs/mine --to csv --out mine-tables`,
    )
    .action(convert);

async function convert(nameOrPath: string, { to, out, json, ...options }: ConvertOptions): Promise<void> {
  const directory = await findRun(nameOrPath);
  const imports = await importFiles(options.import);
  const { convertRun } = await import("../report/index.js");
  const conversion = await convertRun(directory, out ?? join(directory, to), { to, imports });
  if (json) return console.log(JSON.stringify(conversion, null, 2));
  for (const note of conversion.notes) process.stderr.write(`${printable(note)}\n`);
  for (const path of conversion.written) console.log(printable(path));
  if (to === "tensorboard")
    console.log(`to look at it: tensorboard --logdir ${printable(out ?? join(directory, to))}`);
}
