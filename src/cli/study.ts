import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Command } from "commander";
import type { BegunStudy, Shard, StudyResult } from "../study/index.js";
import { calibrateNow } from "./calibrate.js";
import { counterTo } from "./counter.js";
import { withImports } from "./imports.js";
import { planJson, planText } from "./study-plan.js";
import {
  prepareWork,
  type StudyWork,
  trainBegun,
  trainParts,
  type WorkFlags,
  withWorkOptions,
} from "./study-work.js";
import { printable } from "./text.js";

interface StudyOptions extends WorkFlags {
  plan?: boolean;
  json?: boolean;
}

export const studyCommand = () =>
  withWorkOptions(withImports(new Command("study")))
    .description("train what a study compares, and show its table")
    .option("--arms <a,b>", "train only these arms now; the others stay part of the study")
    .option(
      "--shard <i/n>",
      "train the i-th of n parts, which share no network; auto: the part of this task of a Slurm array, auto/n: also of this pod of a Kubernetes Job",
    )
    .option("--plan", "say what is finished and what would be trained, and write nothing")
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
  $ npx lyceum study tolerance --shard auto         # in a job array
  $ npx lyceum study results/tolerance --plan       # what is finished, what is left`,
    )
    .action(study);

async function study(named: string, options: StudyOptions): Promise<void> {
  const { beginStudy } = await import("../study/index.js");
  const work = await prepareWork("study", named, options);
  const { path, directory, imports, shard, arms, output } = work;
  const { amend = false, plan: look = false } = options;
  const begin = (part = shard) => beginStudy(path, directory, { imports, amend, look, shard: part, arms });
  let begun = await begin();
  output.write(`${printable(begun.study.file.title ?? basename(directory))} → ${directory}\n`);
  if (shard) output.write(`${partText(begun, shard)}\n`);
  for (const note of begun.notes) output.write(`note: ${printable(note)}\n`);
  if (look) {
    console.log(options.json ? planJson(begun) : `\n${planText(begun)}`);
    return;
  }
  if (begun.uncalibrated) {
    await calibrateNow(begun, work);
    begun = await begin();
  }
  const failures = await trainLeft(begun, work, begin);
  const result = await putTogether(begun, work);
  const hasReport = result.trained.done > 0;
  if (options.json) console.log(JSON.stringify(result, null, 2));
  else {
    const { studyTable } = await import("./study-table.js");
    console.log(
      `\n${studyTable(result)}\n\n${result.trained.done} of ${result.trained.of} networks are trained`,
    );
  }
  if (!options.json && hasReport)
    console.log(
      `report: ${shown(join(directory, "report.html"))}; npx lyceum compare ${nameOf(directory)} says how the arms differ`,
    );
  if (failures.size > 0) {
    const [first] = failures.values();
    throw new Error(
      `networks that failed: ${failures.size}, the first with: ${first}\nThe same command tries them again`,
    );
  }
}

/** Says how many networks a part has, and where it has none, why. */
function partText({ plan, mine }: BegunStudy, { shard, of }: Shard): string {
  const part = `part ${shard} of ${of}`;
  if (mine.length > 0) return `${part}: ${mine.length} of ${plan.networks.length} networks`;
  return (
    `${part} has no networks: parts share none, and so this study has fewer parts, or none of these arms in this one. On a ` +
    "shared disk any number of processes share all networks without --shard"
  );
}

/** Trains what is left, and where that is a part of the study, also what others have left. */
async function trainLeft(
  begun: BegunStudy,
  work: StudyWork,
  begin: (shard: Shard) => Promise<BegunStudy>,
): Promise<ReadonlyMap<string, string>> {
  const { shard } = work;
  if (shard) return trainParts(begun, { ...work, shard }, begin);
  return begun.left.length === 0 ? new Map() : trainBegun(begun, work);
}

/**
 * Reads all results and writes what follows from them. One process does so at a time: otherwise one that has read the results before
 * another's last network was finished could write its report over the other's.
 */
async function putTogether({ plan, folder }: BegunStudy, work: StudyWork): Promise<StudyResult> {
  const { directory, imports, output } = work;
  const { openStudy } = await import("../study/index.js");
  const { waitForLock } = await import("../runs/index.js");
  const lock = await waitForLock(join(folder.work, "report.lock"), {
    onWait: (message) => output.write(`waiting for the report of another process: ${printable(message)}\n`),
  });
  try {
    const counter = counterTo(output, { of: plan.lines.length, noun: "lines put together" });
    await folder.refresh();
    const result = await openStudy(directory, { imports, onLine: counter.show });
    counter.clear();
    if (result.trained.done > 0) await writeResults(result, work);
    return result;
  } finally {
    await lock.release();
  }
}

/** Writes what follows from the results: the summary for programs, and the report with its figures and numbers. */
async function writeResults(result: StudyResult, { directory, path }: StudyWork): Promise<void> {
  const { studySummary } = await import("../study/index.js");
  const { writeStudyReport } = await import("../report/index.js");
  const { writeAtomic } = await import("../runs/index.js");
  await writeAtomic(join(directory, "summary.json"), `${JSON.stringify(studySummary(result), null, 2)}\n`);
  const networks = result.arms.flatMap(({ lines }) => lines.flatMap((line) => line.networks));
  const said = (key: "machine" | "software") => [...new Set(networks.flatMap((one) => one?.[key] ?? []))];
  await writeStudyReport(result, directory, {
    machines: said("machine"),
    software: said("software"),
    commands: [`npx lyceum study ${path}`],
    file: await readFile(join(directory, "study.yaml"), "utf8"),
  });
}

/** Shows a path from where the command was started. */
const shown = (path: string) => relative(process.cwd(), path) || ".";

/** The name or the path by which `compare` finds a study. */
const nameOf = (directory: string) =>
  dirname(shown(directory)) === "results" ? basename(directory) : shown(directory);
