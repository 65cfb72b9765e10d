/** What the commands that work at studies share: finding the study, and training in processes. */
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { nearest } from "../recipe/index.js";
import type { ImportedFile } from "../runs/index.js";
import type { BegunStudy, Shard } from "../study/index.js";
import { Interrupted, UsageError } from "./errors.js";
import { importFiles } from "./imports.js";
import { listenForInterrupt } from "./interrupt.js";
import type { Output } from "./progress.js";
import { parseShard } from "./shard.js";
import { workInProcesses } from "./study-processes.js";
import { studyProgress } from "./study-progress.js";
import { printable } from "./text.js";

/** The options that all commands have which work at studies. */
export interface WorkFlags {
  results: string;
  jobs: string;
  threads?: string;
  shard?: string;
  arms?: string;
  import?: string[];
  amend?: boolean;
  json?: boolean;
}

/** Adds the study and these options to a command. */
export function withWorkOptions(command: Command): Command {
  return command
    .argument("<study>", "a study's file, its name in studies/, or the folder of its results")
    .option("--results <folder>", "the folder that holds the folders of results", "results")
    .option("--jobs <n>", "how many networks to train at the same time", "1")
    .option("--threads <n>", "CPU threads for all jobs together (default: one per physical core)")
    .option("--amend", "accept that the study's file has changed since the study began");
}

/** A study that a command works at, and how. */
export interface StudyWork {
  /** The command's name. */
  command: "study" | "calibrate";
  /** The study's file. */
  path: string;
  /** The folder of its results. */
  directory: string;
  jobs: number;
  threads: number | undefined;
  shard: Shard | undefined;
  /** The arms to train; undefined for all of them. */
  arms: string[] | undefined;
  imports: ImportedFile[];
  /** Where progress is written to. */
  output: Output;
}

/** Finds the study that a command names, and checks the command's options. */
export async function prepareWork(
  command: StudyWork["command"],
  named: string,
  flags: WorkFlags,
): Promise<StudyWork> {
  const { findStudyFolder } = await import("../study/index.js");
  const { jobs, threads, shard, arms } = flags;
  const directory = findStudyFolder(named, flags.results);
  const output = flags.json ? process.stderr : process.stdout;
  return {
    command,
    path: fileOf(named, directory),
    directory,
    jobs: wholeNumber("--jobs", jobs),
    threads: threads === undefined ? undefined : await threadsOf(threads, output),
    shard: shard === undefined ? undefined : parseShard(shard, process.env),
    arms: arms?.split(",").map((arm) => arm.trim()),
    imports: await importFiles(flags.import),
    output,
  };
}

/** Reads --threads. More than this machine runs at a time would only wait for each other, and are not started. */
async function threadsOf(text: string, output: Output): Promise<number> {
  const { mostThreads } = await import("../generations/index.js");
  const [asked, most] = [wholeNumber("--threads", text), mostThreads()];
  if (asked > most)
    output.write(
      `warning: --threads ${asked} are more than the ${most} that this machine runs at a time: ${most} are used\n`,
    );
  return Math.min(asked, most);
}

/**
 * Trains what is left of a study in processes of their own, and shows the progress.
 *
 * @param prefix what the networks are for, before all that is shown
 * @returns the failures, by fingerprint
 * @throws Interrupted when the person stops it; all is saved then
 */
export async function trainBegun(
  begun: BegunStudy,
  work: StudyWork,
  prefix = "",
): Promise<ReadonlyMap<string, string>> {
  const { forgetFailures } = await import("../study/index.js");
  const { jobs, threads, shard, arms, imports, output } = work;
  await forgetFailures(begun.folder, begun.mine);
  const show = studyProgress(output, { networks: begun.mine, left: begun.left, prefix });
  const { signal, stop } = listenForInterrupt({
    onFirst: () =>
      show.say("stopping: the steps are finished and all is saved first; Ctrl-C again stops at once"),
  });
  try {
    const args = [begun.folder.studyFile, "--results-folder", begun.folder.directory];
    if (shard) args.push("--shard", `${shard.shard}/${shard.of}`);
    if (arms) args.push("--arms", arms.join());
    for (const { file } of imports) args.push("--import", file);
    const failures = await workInProcesses(args, {
      ...{ jobs, threads, signal, useful: begun.left.length },
      onEvent: show.event,
    });
    show.end();
    if (signal.aborted) throw stopped(work);
    return failures;
  } finally {
    show.end();
    stop();
  }
}

/**
 * Trains what is left of a part of a study, and then what others have left of theirs whose processes ended.
 *
 * @param begin looks anew at what is left of a part
 * @returns the failures, by fingerprint
 * @throws Interrupted when the person stops it; all is saved then
 */
export async function trainParts(
  { folder, isUnfinished }: BegunStudy,
  work: StudyWork & { shard: Shard },
  begin: (shard: Shard) => Promise<BegunStudy>,
): Promise<ReadonlyMap<string, string>> {
  const { workAtParts } = await import("../study/index.js");
  const { shard, output } = work;
  const said = new Set<string>();
  const { signal, stop } = listenForInterrupt();
  try {
    let part = shard;
    const failures = await workAtParts({
      ...{ folder, shard, isUnfinished, begin, signal },
      work: (begun) => trainBegun(begun, { ...work, shard: part }),
      onTakenUp: (taken) => {
        part = taken;
        output.write(
          `part ${taken.shard} of ${taken.of} was left by a process that has ended: its networks are trained here now\n`,
        );
      },
      onWait: (message) => {
        if (!said.has(message)) output.write(`waiting: ${printable(message)}\n`);
        said.add(message);
      },
    });
    if (signal.aborted) throw stopped(work);
    return failures;
  } finally {
    stop();
  }
}

const stopped = ({ command, path }: StudyWork) =>
  new Interrupted(`stopped; the same command goes on: npx lyceum ${command} ${path}`);

/** The folder of the studies that come with the package. */
const packaged = fileURLToPath(new URL("../../studies/", import.meta.url));

/**
 * Finds the study's file: the one that was named, the one of that name in studies/ or in the results, or a study of that
 * name that comes with Lyceum.
 */
function fileOf(named: string, directory: string): string {
  const isName = /^[\w.+-]+$/.test(named);
  const candidates = /\.ya?ml$/.test(named)
    ? [named]
    : [join("studies", `${named}.yaml`), join(directory, "study.yaml")];
  const found = [...candidates, ...(isName ? [join(packaged, `${named}.yaml`)] : [])].find((path) =>
    existsSync(path),
  );
  if (found) return relative(process.cwd(), found) || found;
  const known = existsSync(packaged) ? readdirSync(packaged) : [];
  const names = known.flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const meant = nearest(named, names);
  const hint = meant
    ? `did you mean "${meant}"?`
    : `those that come with Lyceum are ${names.sort().join(", ")}`;
  throw new UsageError(`${named}: there is no such study; looked for ${candidates.join(" and ")}; ${hint}`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1024) return value;
  throw new UsageError(`${option} ${text}: must be a whole number from 1 to 1024`);
}
