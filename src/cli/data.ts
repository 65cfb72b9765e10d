import { Command } from "commander";
import { datasetNames } from "../data/sets/index.js";
import { nearest } from "../recipe/index.js";
import { checkCommand } from "./data-check.js";
import { UsageError } from "./errors.js";
import { findSets } from "./found-sets.js";

export const dataCommand = () =>
  new Command("data")
    .description("list, download and check data sets")
    .addHelpText(
      "after",
      `
Examples:
  $ npx lyceum data list
  $ npx lyceum data fetch cifar100
  $ npx lyceum data verify cifar100 --root /data/cifar-100-binary
  $ npx lyceum data check photos`,
    )
    .addCommand(listCommand())
    .addCommand(fetchCommand())
    .addCommand(verifyCommand())
    .addCommand(checkCommand());

const listCommand = () =>
  new Command("list")
    .description("the sets that Lyceum knows, and where each is on this machine")
    .option("--json", "print them as JSON")
    .addHelpText("after", "\nExample:\n  $ npx lyceum data list")
    .action(async ({ json }: { json?: boolean }) => {
      const sets = await findSets();
      if (json) return console.log(JSON.stringify(sets, null, 2));
      for (const { name, description, place } of sets) {
        console.log(
          `${name.padEnd(15)}${description}\n${" ".repeat(15)}${place ?? `not here: npx lyceum data fetch ${name}`}`,
        );
      }
    });

const fetchCommand = () =>
  new Command("fetch")
    .description("download a set from its official address; goes on where it was stopped, checks checksums")
    .argument("<dataset>", "a set's name (see `npx lyceum data list`)")
    .option("--root <folder>", "where to put it (default: $LYCEUM_DATA/NAME, else ~/.cache/lyceum/NAME)")
    .option("--from <address>", "another server's folder with the same files")
    .option("--json", "print the folder as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx lyceum data fetch cifar100\n  $ npx lyceum data fetch mnist --root data/mnist",
    )
    .action(async (name: string, { root, from, json }: { root?: string; from?: string; json?: boolean }) => {
      checkName(name);
      const { fetchDataset } = await import("../data/fetch.js");
      const folder = await fetchDataset(name, { root, baseUrl: from, onProgress: drawDownload() });
      console.log(json ? JSON.stringify({ name, folder }) : `${name} is in ${folder}`);
    });

/**
 * Shows a download's progress on stderr, as a line that is redrawn; where stderr is no terminal nothing is
 * shown.
 */
function drawDownload(): (progress: { file: string; received: number; bytes: number }) => void {
  let drawn = 0;
  return ({ file, received, bytes }) => {
    const done = received >= bytes;
    if (!process.stderr.isTTY || (!done && performance.now() - drawn < 100)) return;
    drawn = performance.now();
    const megabytes = (n: number) => (n / 1e6).toFixed(1);
    process.stderr.write(
      `\r\x1b[K${file}: ${megabytes(received)} of ${megabytes(bytes)} MB${done ? "\n" : ""}`,
    );
  };
}

const verifyCommand = () =>
  new Command("verify")
    .description("compare each file of a set with the official one")
    .argument("<dataset>", "a set's name (see `npx lyceum data list`)")
    .option("--root <folder>", "the folder, or the archive, that holds it")
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx lyceum data verify fashion-mnist\n  $ npx lyceum data verify mnist --root data/mnist",
    )
    .action(async (name: string, { root, json }: { root?: string; json?: boolean }) => {
      checkName(name);
      const { verifyDataset } = await import("../data/verify.js");
      const report = await verifyDataset(name, { ...(root !== undefined && { root }) });
      if (json) console.log(JSON.stringify(report, null, 2));
      else
        for (const { file, ok, problem } of report.files)
          console.log(ok ? `ok       ${file}` : `damaged  ${problem}`);
      if (!report.ok) throw new Error(`${name} in ${report.place} is not the official set`);
    });

function checkName(name: string): void {
  if (datasetNames.includes(name)) return;
  const meant = nearest(name, datasetNames);
  const hint = meant ? `did you mean "${meant}"?` : `known: ${datasetNames.join(", ")}`;
  throw new UsageError(`there is no data set "${name}"; ${hint}`);
}
