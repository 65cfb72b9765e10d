import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Command } from "commander";
import type { StudyResult } from "../study/index.js";
import { calibrateNow } from "./calibrate.js";
import { counterTo } from "./counter.js";
import { withImports } from "./imports.js";
import { planJson, planText } from "./study-plan.js";
import { prepareWork, type StudyWork, trainBegun, type WorkFlags, withWorkOptions } from "./study-work.js";
import { printable } from "./text.js";

interface StudyOptions extends WorkFlags {
  plan?: boolean;
  json?: boolean;
}

export const studyCommand = () =>
  withWorkOptions(withImports(new Command("study")))
    .description("train what a study compares, and show its table")
    .option("--arms <a,b>", "train only these arms now; the others stay part of the study")
    .option("--shard <i/n>", "train only the i-th of n parts, for job arrays; parts share no network")
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
  $ npx lyceum study tolerance --shard 3/8          # in a job array
  $ npx lyceum study results/tolerance --plan       # what is finished, what is left`,
    )
    .action(study);

async function study(named: string, options: StudyOptions): Promise<void> {
  const { beginStudy, openStudy } = await import("../study/index.js");
  const work = await prepareWork("study", named, options);
  const { path, directory, imports, shard, arms, output } = work;
  const { amend = false, plan: look = false } = options;
  const begin = () => beginStudy(path, directory, { imports, amend, look, shard, arms });
  let begun = await begin();
  output.write(`${printable(begun.study.file.title ?? basename(directory))} → ${directory}\n`);
  for (const note of begun.notes) output.write(`note: ${printable(note)}\n`);
  if (look) {
    console.log(options.json ? planJson(begun) : `\n${planText(begun)}`);
    return;
  }
  if (begun.uncalibrated) {
    await calibrateNow(begun, work);
    begun = await begin();
  }
  const failures = begun.left.length === 0 ? new Map<string, string>() : await trainBegun(begun, work);
  const lines = begun.plan.lines.length;
  const counter = counterTo(output, { of: lines, noun: "lines put together" });
  const result = await openStudy(directory, { imports, onLine: counter.show });
  counter.clear();
  const hasReport = result.trained.done > 0;
  if (hasReport) await writeResults(result, work);
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
      `${failures.size} of ${begun.mine.length} networks failed, the first with: ${first}\nThe same command tries them again`,
    );
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
