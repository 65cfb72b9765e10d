import { readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { Command } from "commander";
import type { BegunStudy, StudyResult } from "../study/index.js";
import { calibrateNow } from "./calibrate.js";
import { withImports } from "./imports.js";
import { studyTable } from "./study-table.js";
import { prepareWork, type StudyWork, trainBegun, type WorkFlags, withWorkOptions } from "./study-work.js";
import { printable } from "./text.js";

interface StudyOptions extends WorkFlags {
  amend?: boolean;
  plan?: boolean;
  json?: boolean;
}

export const studyCommand = () =>
  withWorkOptions(withImports(new Command("study")))
    .description("train what a study compares, and show its table")
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
  const { beginStudy, openStudy } = await import("../study/index.js");
  const work = await prepareWork(named, options);
  const { path, directory, imports, shard, output } = work;
  const begin = () => beginStudy(path, directory, { imports, amend: options.amend ?? false, shard });
  let begun = await begin();
  output.write(`${printable(begun.study.file.title ?? basename(directory))} → ${directory}\n`);
  for (const note of begun.notes) output.write(`note: ${printable(note)}\n`);
  if (begun.uncalibrated && !options.plan) {
    await calibrateNow(begun, work);
    begun = await begin();
  }
  const idle = begun.left.length === 0 || options.plan;
  const failures = idle ? new Map<string, string>() : await trainBegun(begun, work);
  const result = await openStudy(directory, { imports });
  if (!options.plan && result.trained.done > 0) await writeResults(result, work);
  if (options.json) console.log(JSON.stringify(result, null, 2));
  else console.log(tableOf(result, begun, options));
  if (!options.json && !options.plan && result.trained.done > 0)
    console.log(
      `report: ${relative(process.cwd(), join(directory, "report.html"))}; npx lyceum compare ${basename(directory)} says how the arms differ`,
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

function tableOf(result: StudyResult, { left }: BegunStudy, { plan }: StudyOptions): string {
  const { done, of } = result.trained;
  const state = `${done} of ${of} networks are trained`;
  return `\n${studyTable(result)}\n\n${state}${plan && left.length > 0 ? `; ${left.length} would be trained now` : ""}`;
}
