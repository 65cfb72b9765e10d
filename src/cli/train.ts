import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Command } from "commander";
import { GroupError } from "../distributed/errors.js";
import type { ProcessGroup } from "../distributed/index.js";
import { quoted } from "../quoted.js";
import { applyOverride, loadRecipe, parseOverride, type Recipe } from "../recipe/index.js";
import { duration } from "../report/numbers.js";
import type { ImportedFile } from "../runs/index.js";
import type { RunResult } from "../runs/types.js";
import { withBoard } from "./board.js";
import { Interrupted, UsageError } from "./errors.js";
import { findRun, RUNS } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import { offerLines, packagedRecipes, recipeFiles, runs } from "./offers.js";
import { type Output, progressTo } from "./progress.js";
import {
  byFirst,
  elasticHint,
  isStartedAgain,
  join as joinGroup,
  mayBeStartedAgain,
  placeOf,
} from "./ranks.js";
import { resultTables } from "./results.js";
import { startWatching, type Watching } from "./start-watching.js";
import { printable } from "./text.js";
import { trainInProcesses } from "./train-processes.js";

interface TrainOptions {
  set?: string[];
  name?: string;
  device?: string;
  seed?: string;
  generations?: string;
  epochs?: string;
  out: string;
  resume?: string;
  autoResume?: boolean;
  processes?: string;
  timeout?: string;
  import?: string[];
  tensorboard?: boolean;
  watch?: boolean;
  json?: boolean;
}

export const trainCommand = () =>
  withImports(new Command("train"))
    .description("train a patriarch and its line of students")
    .argument("[recipe]", "a recipe's name (see `npx lyceum recipes`) or file")
    .option(
      "--set <key=value>",
      "override a key of the recipe; may be repeated",
      (text, all: string[] = []) => [...all, text],
    )
    .option("--name <name>", "name of the run's folder (default: the recipe's, with -2, -3, … when taken)")
    .option("--device <device>", "cpu, cuda or cuda:N; the same as --set device=…")
    .option("--seed <seed>", "the same as --set seed=…")
    .option("--generations <n>", "the same as --set generations=…; with --resume, of a longer line")
    .option("--epochs <n>", "the same as --set epochs=…; with --resume, of networks still to be trained")
    .option("--out <folder>", "the folder that runs go into", RUNS)
    .option(
      "--resume <run>",
      "go on with a run that was stopped, or with changes (--generations, --set) of any run",
    )
    .option(
      "--auto-resume",
      "begin the run of that --name, or go on with it, whichever is due; nothing is done where it is finished",
    )
    .option(
      "--processes <n>",
      "train in so many processes of this machine, each of which computes its part of every batch",
    )
    .option(
      "--timeout <seconds>",
      "how long processes that train together wait for each other (default: 600)",
    )
    .option("--tensorboard", "write events for TensorBoard into the run's folder, after each epoch")
    .option("--watch", "show the training on a live page until it ends (see npx lyceum watch)")
    .option("--json", "print the result as JSON, progress on stderr")
    .addHelpText(
      "after",
      `
Examples:
  $ npx lyceum train quickstart
  $ npx lyceum train cifar100-resnet20 --set patriarch=strict --name strict
  $ npx lyceum train mine.yaml --set 'patriarch={k: 5, primaryScore: 0.7}' --set student.hardWeight=0.5
  $ npx lyceum train quickstart --set data.limit.train=2000 --set epochs=2 --seed 1
  $ npx lyceum train --resume runs/quickstart
  $ npx lyceum train --resume runs/quickstart --generations 8
  $ npx lyceum train mine.yaml --name mine --auto-resume      # for schedulers that start a job again
  $ npx lyceum train mine.yaml --import ./my-method.js
  $ npx lyceum train mine.yaml --processes 2
  $ torchrun --nproc_per_node 4 --no_python npx lyceum train mine.yaml --name mine

Started by torchrun, by srun in a Slurm job or by mpirun, the processes train one
line together (docs/distributed.md). Started again by them, with --name, they go
on with it.

Ctrl-C finishes the step, saves and says how to go on; a second one stops at once.`,
    )
    .action(train);

async function train(nameOrPath: string | undefined, options: TrainOptions): Promise<void> {
  const place = await placeOf(options);
  if (place.start > 1) return await trainInProcesses(place.start);
  await using group = await joinGroup(place, options);
  const { recipe, directory, resume, begun, imports, changes } = await prepare(nameOrPath, options, group);
  const { trainGenerations } = await import("../generations/index.js");
  const isFirst = !group || group.rank === 0;
  const output = options.json ? process.stderr : process.stdout;
  if (isFirst)
    output.write(
      `${printable(recipe.title ?? recipe.data.name)} → ${directory}${group ? `, on ${group.size} processes` : ""}\n`,
    );
  const { signal, stop } = listenForInterrupt({
    withinOperators: {
      output,
      words: "stopping: the step is finished and all is saved first; Ctrl-C again stops at once",
    },
  });
  using _page = options.watch && isFirst ? await showLive(output, directory, options) : undefined;
  let result: RunResult;
  try {
    const onProgress = isFirst ? await listener(output, directory, recipe, options) : undefined;
    result = await trainGenerations(recipe, {
      ...{ directory, resume, changes, imports, signal, onProgress, group },
    });
  } catch (error) {
    if (!isStop(error, signal)) {
      if (!begun && isFirst) await removeUnstarted(directory);
      throw error;
    }
    if (options.json && isFirst) console.log(JSON.stringify({ state: "interrupted", directory }));
    throw new Interrupted(`stopped; to go on: npx lyceum train --resume ${quoted(directory)}`);
  } finally {
    stop();
  }
  if (!isFirst) return;
  const { writeReport } = await import("../report/index.js");
  const report = await writeReport(directory, { imports });
  if (options.json) console.log(JSON.stringify({ state: "finished", report, ...result }, null, 2));
  else
    console.log(
      `\n${resultTables(result)}\n\n` +
        `${duration(result.seconds)} in all; report: ${relative(process.cwd(), report)}${guesses(result)}`,
    );
}

/** Begins a live page of all runs beside this one, and says where it is; a training goes on without one. */
async function showLive(
  output: Output,
  directory: string,
  options: TrainOptions,
): Promise<Watching | undefined> {
  const begun = await startWatching(dirname(directory), options.import);
  output.write(typeof begun === "string" ? `${printable(begun)}\n` : `live: ${begun.url}\n`);
  return typeof begun === "string" ? undefined : begun;
}

function listener(output: Output, directory: string, recipe: Recipe, { tensorboard }: TrainOptions) {
  const tell = progressTo(output);
  return tensorboard ? withBoard(tell, directory, recipe) : tell;
}

/**
 * Tells whether a training ended because it was asked to. Another process may have been the one that was asked, and one that
 * was asked may see the others leave before it is its turn.
 */
function isStop(error: unknown, signal: AbortSignal): boolean {
  if ((error as Error).name === "Interrupted") return true;
  return signal.aborted && ((error as Error).name === "AbortError" || error instanceof GroupError);
}

/** Warns of networks that have learnt nothing, whose accuracy could be mistaken for a result. */
function guesses({ classes, generations }: RunResult): string {
  const count = generations.filter(({ test }) => test.top1 < 1.5 / classes).length;
  if (count === 0) return "";
  return (
    `\nwarning: ${count} of ${generations.length} networks are hardly better than guessing among ${classes} classes; ` +
    "a lower optimizer.learningRate may help"
  );
}

interface Prepared {
  recipe: Recipe;
  directory: string;
  resume: boolean | "auto";
  /** Whether the run was begun before this command. */
  begun: boolean;
  imports: ImportedFile[];
  /** Changes with which a run goes on. */
  changes: Record<string, unknown>;
}

/**
 * Finds the recipe and the run's folder, new or resumed, and reports whatever is wrong before any work
 * begins.
 */
async function prepare(
  nameOrPath: string | undefined,
  options: TrainOptions,
  group: ProcessGroup | undefined,
): Promise<Prepared> {
  const { name, out, resume } = options;
  const autoResume = options.autoResume || (resume === undefined && isStartedAgain());
  const overrides = overridesOf(options);
  const imports = await importFiles(options.import);
  const { claimRunDirectory, isRunName, libraryOf, RunFolder } = await import("../runs/index.js");
  if (resume !== undefined) {
    if (nameOrPath !== undefined || name || options.autoResume || out !== RUNS)
      throw new UsageError(
        "--resume goes on with the run's own recipe, in its own folder: no recipe, no --name, --out and --auto-resume beside it",
      );
    const directory = await findRun(resume);
    const changes = changesOf(overrides);
    const { recipe } = await RunFolder.open(directory, imports);
    return { recipe, directory, resume: true, begun: true, imports, changes };
  }
  if (nameOrPath === undefined) throw new UsageError(`which recipe?\n${await whatToTrain()}`);
  if (autoResume && name === undefined)
    throw new UsageError("--auto-resume needs --name: by it the run is found again");
  if (name === undefined && mayBeStartedAgain())
    throw new UsageError(
      "a job that torchrun may start again (--max_restarts) needs --name, by which it finds its run",
    );
  const recipe = await loadRecipe(nameOrPath, { set: overrides, library: libraryOf(imports) });
  if (name === undefined) {
    const plain = basename(nameOrPath)
      .replace(/\.ya?ml$/, "")
      .replace(/[^\w.+-]/g, "-");
    const directory = await byFirst(group, () => claimRunDirectory(out, isRunName(plain) ? plain : "run"));
    return { recipe, directory, resume: false, begun: false, imports, changes: {} };
  }
  if (!isRunName(name))
    throw new UsageError(`--name ${name}: must be one folder name of letters, digits and . _ + -`);
  const directory = join(out, name);
  const begun = await byFirst(group, async () => {
    const begun = await RunFolder.isBegun(directory);
    if (!(await RunFolder.isFree(directory)) && !(autoResume && begun))
      throw new UsageError(
        `${directory}: is there already; take another --name, or --resume ${quoted(directory)}${elasticHint()}`,
      );
    await mkdir(directory, { recursive: true });
    return begun;
  });
  return { recipe, directory, resume: autoResume ? "auto" : false, begun, imports, changes: {} };
}

/** Says what can be trained here: recipes in this folder, those that come along, and runs that are not finished. */
async function whatToTrain(): Promise<string> {
  const unfinished = (await runs()).filter(({ about }) => about.startsWith("unfinished"));
  return [
    ...offerLines("recipes in this folder:", await recipeFiles()),
    ...offerLines("recipes that come with Lyceum:", await packagedRecipes()),
    ...offerLines("runs that are not finished, for --resume:", unfinished),
    "npx lyceum train quickstart trains one; npx lyceum init FOLDER makes a project with a recipe of its own",
  ].join("\n");
}

/** Gives all overrides of the recipe, as `--set` takes them. */
function overridesOf({ set = [], device, seed, generations, epochs }: TrainOptions): string[] {
  const named = Object.entries({ device, seed, generations, epochs });
  return [...set, ...named.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))];
}

/** Puts overrides together as the changes with which a run goes on. */
function changesOf(overrides: readonly string[]): Record<string, unknown> {
  try {
    const parsed = overrides.map((text) => parseOverride(text));
    return parsed.reduce<unknown>(applyOverride, {}) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Removes the folder of a run that failed before anything was trained. */
async function removeUnstarted(directory: string): Promise<void> {
  const files = await readdir(directory).catch(() => ["gone"]);
  const made = ["recipe.yaml", "environment.json"];
  if (files.some((file) => !made.includes(file))) return;
  try {
    for (const file of made) await rm(join(directory, file), { force: true });
    // Removing the folder fails where another process has begun a run in it in the meantime.
    await rmdir(directory);
  } catch {
    // The error to report is the one by which the run failed.
  }
}
