import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Command, CommanderError } from "commander";
import { GroupError } from "../distributed/errors.js";
import { RecipeError } from "../recipe/index.js";
import { StudyError } from "../study/study-file.js";
import { calibrateCommand } from "./calibrate.js";
import { compareCommand } from "./compare.js";
import { completeCommand, completionCommand } from "./completion.js";
import { convertCommand } from "./convert.js";
import { dataCommand } from "./data.js";
import { doctorCommand } from "./doctor.js";
import { ChildFailed, Interrupted, NotAsStored, NotShown, UsageError } from "./errors.js";
import { evaluateCommand } from "./evaluate.js";
import { exportCommand } from "./export.js";
import { featuresCommand } from "./features.js";
import { initCommand } from "./init.js";
import { predictCommand } from "./predict.js";
import { recipesCommand } from "./recipes.js";
import { reportCommand } from "./report.js";
import { runsCommand } from "./runs.js";
import { setupCommand } from "./setup.js";
import { studyCommand } from "./study.js";
import { studyWorkerCommand } from "./study-worker.js";
import { printable } from "./text.js";
import { trainCommand } from "./train.js";
import { transferCommand } from "./transfer.js";
import { watchCommand } from "./watch.js";
import { weightsCommand } from "./weights.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/**
 * Runs one command line, and writes errors to stderr.
 *
 * @param args the arguments behind the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong use, 3 not as stored (`evaluate`), 4 not
 *   shown (`compare`), 5 another process of the training was lost, 130 interrupted
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: "user" });
    return 0;
  } catch (thrown) {
    const error = firstOf(thrown);
    // Commander has already written its own errors to stderr.
    if (error instanceof CommanderError) {
      const offered = await offersInsteadOf(error);
      if (offered.length > 0) process.stderr.write(`${offered.join("\n")}\n`);
      return error.exitCode === 0 ? 0 : 2;
    }
    if (error instanceof ChildFailed && error.message === "") return error.code;
    process.stderr.write(`${describe(error)}\n`);
    if (error instanceof ChildFailed) return error.code;
    if (error instanceof Interrupted) return 130;
    if (error instanceof NotAsStored) return 3;
    if (error instanceof NotShown) return 4;
    if (error instanceof GroupError) return 5;
    return error instanceof UsageError || error instanceof RecipeError || error instanceof StudyError ? 2 : 1;
  }
}

/** Makes the parser of all commands. */
export function program(): Command {
  const lyceum = new Command("lyceum")
    .description("Trains image classifiers in generations: a tolerant patriarch and its line of students.")
    .version(version)
    .addHelpText(
      "after",
      `
Examples:
  $ npx lyceum train quickstart
  $ npx lyceum predict quickstart photo.png
  $ npx lyceum watch
  $ npx lyceum runs
  $ npx lyceum doctor

lyceum COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong use,
3 not as stored (evaluate), 4 not shown (compare), 5 another process of the
training was lost, 130 interrupted.
LYCEUM_DEBUG=1 shows where an error came from.`,
    );
  for (const command of [
    initCommand(),
    trainCommand(),
    studyCommand(),
    calibrateCommand(),
    compareCommand(),
    predictCommand(),
    exportCommand(),
    convertCommand(),
    evaluateCommand(),
    transferCommand(),
    featuresCommand(),
    runsCommand(),
    watchCommand(),
    reportCommand(),
    recipesCommand(),
    dataCommand(),
    weightsCommand(),
    doctorCommand(),
    setupCommand(),
    completionCommand(),
  ])
    lyceum.addCommand(command);
  lyceum.addCommand(completeCommand(), { hidden: true });
  lyceum.addCommand(studyWorkerCommand(), { hidden: true });
  return throwing(lyceum);
}

/** Makes commander throw errors instead of ending the process, in all commands. */
function throwing(command: Command): Command {
  command
    .exitOverride()
    .showHelpAfterError(`See: lyceum ${command.name() === "lyceum" ? "" : `${command.name()} `}--help`);
  for (const inner of command.commands) throwing(inner);
  return command;
}

/** Lists what could be given where a run or a study was asked for and nothing was given. */
async function offersInsteadOf({ code, message }: CommanderError): Promise<string[]> {
  if (code !== "commander.missingArgument") return [];
  const missing = /'(.+)'/.exec(message)?.[1];
  const { offerLines, runs, studyNames } = await import("./offers.js");
  if (missing === "run") {
    const lines = offerLines("runs in runs/:", await runs());
    return lines.length > 0
      ? lines
      : ["there are no runs in runs/ yet: npx lyceum train quickstart makes one"];
  }
  return missing === "study" ? [`studies: ${(await studyNames()).join(", ")}`] : [];
}

/** The system's refusals by their codes, in words that follow the name of a file or a folder. */
const refusals: Record<string, string> = {
  EACCES: "may not be written to or read",
  EPERM: "may not be written to or read",
  EROFS: "is on a file system that is read only",
  ENOSPC: "is on a disk that is full",
  ENOTDIR: "is not a folder",
  EEXIST: "is there already, and no folder",
};

function inWords(error: Error): string {
  const { code = "", path, syscall } = error as NodeJS.ErrnoException;
  // A write that failed has found its words already, and says how much room there is.
  if (path !== undefined && error.message.startsWith(`${path}: `)) return error.message;
  // Node says so of a folder on a file system that is read only, when it is to make those above it too.
  const words = code === "ENOENT" && syscall === "mkdir" ? "cannot be made here" : refusals[code];
  if (!words || !path) return error.message;
  // For a temporary file or a lock, the folder is named: that is what a person can do something about.
  return `${basename(path).startsWith(".") ? dirname(path) : path}: ${words}`;
}

/** The error that something was given up for, and not that of the giving up, which a disk that fails brings along. */
function firstOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "SuppressedError") return error;
  return "suppressed" in error ? firstOf(error.suppressed) : error;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `lyceum: ${printable(String(error))}`;
  if (process.env.LYCEUM_DEBUG === "1") return printable(error.stack ?? error.message);
  return error instanceof Interrupted ? error.message : `lyceum: ${printable(inWords(error))}`;
}
