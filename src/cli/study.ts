import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { Command } from "commander";
import type { BegunStudy, StudyResult } from "../study/index.js";
import { Interrupted, UsageError } from "./errors.js";
import { importFiles, withImports } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import { workInProcesses } from "./study-processes.js";
import { studyProgress } from "./study-progress.js";
import { studyTable } from "./study-table.js";
import { printable } from "./text.js";

interface StudyOptions {
  results: string;
  jobs: string;
  threads?: string;
  shard?: string;
  amend?: boolean;
  plan?: boolean;
  import?: string[];
  json?: boolean;
}

export const studyCommand = () =>
  withImports(new Command("study"))
    .description("train what a study compares, and show its table")
    .argument("<study>", "a study's file, its name in studies/, or the folder of its results")
    .option("--results <folder>", "the folder that holds the folders of results", "results")
    .option("--jobs <n>", "how many networks to train at the same time", "1")
    .option("--threads <n>", "CPU threads for all jobs together (default: one per physical core)")
    .option("--shard <i/n>", "train only the i-th of n parts, for job arrays; parts share no network")
    .option("--amend", "accept that the study's file has changed since the study began")
    .option("--plan", "say what would be trained, and train nothing")
    .option("--json", "print the results as JSON, progress on stderr")
    .addHelpText(
      "after",
      `
A study trains arms over seeds, each network that arms share once. What is finished is found again by what decided
its numbers, in RESULTS/NAME, which is small enough to be committed: the study then goes on on another machine.
Ctrl-C saves; the same command goes on.

Examples:
  $ npx lyceum study studies/tolerance.yaml
  $ npx lyceum study tolerance --jobs 2
  $ npx lyceum study tolerance --shard 3/8          # in a job array
  $ npx lyceum study results/tolerance --plan       # what is finished, what is left`,
    )
    .action(study);

async function study(named: string, options: StudyOptions): Promise<void> {
  const { beginStudy, findStudyFolder, forgetFailures, openStudy } = await import("../study/index.js");
  const directory = findStudyFolder(named, options.results);
  const path = fileOf(named, directory);
  const jobs = wholeNumber("--jobs", options.jobs);
  const threads = options.threads === undefined ? undefined : wholeNumber("--threads", options.threads);
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  const imports = await importFiles(options.import);
  const begun = await beginStudy(path, directory, { imports, amend: options.amend ?? false, shard });
  const output = options.json ? process.stderr : process.stdout;
  output.write(`${printable(begun.study.file.title ?? basename(directory))} → ${directory}\n`);
  for (const note of begun.notes) output.write(`note: ${printable(note)}\n`);
  const failures =
    begun.left.length === 0 || options.plan
      ? new Map<string, string>()
      : await train(begun, { path, directory, jobs, threads, options, output, forget: forgetFailures });
  const result = await openStudy(directory, { imports });
  if (!options.plan) await writeResults(directory, result);
  if (options.json) console.log(JSON.stringify(result, null, 2));
  else console.log(tableOf(result, begun, options));
  if (failures.size > 0) {
    const [first] = failures.values();
    throw new Error(
      `${failures.size} of ${begun.mine.length} networks failed, the first with: ${first}\nThe same command tries them again`,
    );
  }
}

interface TrainOptions {
  path: string;
  directory: string;
  jobs: number;
  threads: number | undefined;
  options: StudyOptions;
  output: NodeJS.WriteStream;
  forget: (folder: BegunStudy["folder"], networks: BegunStudy["mine"]) => Promise<void>;
}

async function train(begun: BegunStudy, given: TrainOptions): Promise<ReadonlyMap<string, string>> {
  const { path, directory, jobs, threads, options, output, forget } = given;
  await forget(begun.folder, begun.mine);
  const show = studyProgress(output, { networks: begun.mine, left: begun.left });
  const { signal, stop } = listenForInterrupt(() =>
    output.write("\nstopping: the steps are finished and all is saved first; Ctrl-C again stops at once\n"),
  );
  try {
    const args = [path, "--results-folder", directory];
    if (options.shard) args.push("--shard", options.shard);
    for (const file of options.import ?? []) args.push("--import", file);
    const failures = await workInProcesses(args, { jobs, threads, signal, onEvent: show.event });
    show.end();
    if (signal.aborted)
      throw new Interrupted(`stopped; to go on: the same command, npx lyceum study ${path}`);
    return failures;
  } finally {
    show.end();
    stop();
  }
}

/** Writes what follows from the results: the summary that programs read. */
async function writeResults(directory: string, result: StudyResult): Promise<void> {
  void directory;
  void result;
}

function tableOf(result: StudyResult, { left }: BegunStudy, { plan }: StudyOptions): string {
  const { done, of } = result.trained;
  const state = `${done} of ${of} networks are trained`;
  return `\n${studyTable(result)}\n\n${state}${plan && left.length > 0 ? `; ${left.length} would be trained now` : ""}`;
}

/** Finds the study's file: the one that was named, the one of that name in studies/, or the one in the results. */
function fileOf(named: string, directory: string): string {
  const candidates = /\.ya?ml$/.test(named)
    ? [named]
    : [join("studies", `${named}.yaml`), join(directory, "study.yaml")];
  const found = candidates.find((path) => existsSync(path));
  if (found) return relative(process.cwd(), found) || found;
  throw new UsageError(`${named}: there is no such study; looked for ${candidates.join(" and ")}`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1024) return value;
  throw new UsageError(`${option} ${text}: must be a whole number from 1 to 1024`);
}

/** Parses "3/8", the third of eight parts. */
export function parseShard(text: string): { shard: number; of: number } {
  const [shard, of] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text)?.slice(1) ?? []).map(Number);
  if (shard !== undefined && of !== undefined && shard >= 1 && shard <= of) return { shard, of };
  throw new UsageError(`--shard ${text}: must look like 3/8, the third of eight parts`);
}
