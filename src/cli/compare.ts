import { existsSync } from "node:fs";
import { Command } from "commander";
import type { ComparedPart, JudgedExpectation, Measure, Part, StudyResult } from "../study/index.js";
import { NotShown, UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { printable } from "./text.js";

interface CompareOptions {
  metric?: string;
  transfer?: string;
  reference?: string;
  part?: string;
  expect?: string[];
  import?: string[];
  json?: boolean;
}

export const compareCommand = () =>
  withImports(new Command("compare"))
    .description("compare the arms of a study, or runs, over the seeds that they share")
    .argument("<what...>", "a study's folder or its name in results/, or two or more runs")
    .option(
      "--metric <metric>",
      "the metric to compare, one of docs/metrics.md or docs/transfer.md (default: top1; svmTop1 with --transfer)",
    )
    .option(
      "--transfer <name>",
      "compare how well the runs' features serve on other images, transfer/NAME.json",
    )
    .option(
      "--reference <arm>",
      "the arm to compare the others with (default: the study's, or the first run's)",
    )
    .option(
      "--part <images>",
      "test or held-out: the images that it was measured on (default: what the study is about)",
    )
    .option(
      "--expect <claim>",
      "exit with 4 unless the comparison shows it, such as 'tolerant>strict'; may be repeated",
      (claim, all: string[] = []) => [...all, claim],
    )
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      `
Runs whose recipes differ in nothing but the seed are one arm, named by what the names of their folders share.
Differences are paired by seed: each has a 95 % interval over seeds (Student's t; from 5 seeds a bootstrap interval
too), and p is corrected by Holm's method for all arms that are compared at the same place. docs/studies.md says more.

--expect A>B or A<B: the last network of A is above (below) that of B. A margin in the unit that is shown may follow,
A>B-0.5 (A is not worse by half a point), and what is meant, A>B@ensemble, A>B@0 (the patriarchs), A>B@0-2. What is
expected is corrected for the number of expectations alone, and counts as shown with p below 0.05.

Exit codes: 0 done, 1 failed, 2 wrong use, 4 something expected was not shown.

Examples:
  $ npx lyceum compare results/few-data
  $ npx lyceum compare few-data --metric nll --reference tolerant
  $ npx lyceum compare runs/strict-s0 runs/strict-s1 runs/tolerant-s0 runs/tolerant-s1
  $ npx lyceum compare few-data --expect 'tolerant>strict' --expect 'tolerant>strict@ensemble' --json`,
    )
    .action(compare);

async function compare(named: string[], options: CompareOptions): Promise<void> {
  if (options.transfer !== undefined && options.part !== undefined)
    throw new UsageError("--transfer or --part, not both");
  const asked = options.part === undefined ? undefined : partOf(options.part);
  const part: ComparedPart | undefined = options.transfer === undefined ? asked : "transfer";
  const result = await open(named, { ...options, part });
  const comparing = await import("../study/index.js");
  const metric = options.metric ?? (part === "transfer" ? await firstMetric(result) : "top1");
  const measure = { metric, part: part ?? result.part };
  const reference = options.reference ?? result.reference;
  // What the options name is looked for before anything is printed.
  const expected = asUsage(() => {
    comparing.scalarMetric(metric);
    comparing.armNamed(result, reference);
    return (options.expect ?? []).map((text) => comparing.parseExpectation(text, result));
  });
  checkHasValues(result, measure, comparing);
  const paired = comparing.paired(result, { ...measure, reference });
  const sentences = comparing.studySentences(result, { ...measure, reference });
  const expectations = comparing.judge(result, expected, measure);
  const comparison = { measure, reference, paired, sentences, expectations };
  if (options.json) {
    const { comparisonJson } = await import("./comparison-json.js");
    console.log(comparisonJson(result, comparison));
  } else {
    const { comparisonText } = await import("./comparison-text.js");
    console.log(printable(comparisonText(result, comparison)));
  }
  failUnlessShown(expectations);
}

async function open(
  named: readonly string[],
  { part, transfer, ...options }: { part: ComparedPart | undefined; transfer?: string; import?: string[] },
): Promise<StudyResult> {
  const { findStudyFolder, openStudy, studyOfRuns } = await import("../study/index.js");
  const [first, ...others] = named as [string, ...string[]];
  const folders = named.map((name) => findStudyFolder(name));
  const study = folders.findIndex((folder) => existsSync(`${folder}/study.yaml`));
  const isRun = (name: string) => existsSync(`${name}/recipe.yaml`);
  if (study >= 0 && !isRun(named[study]!)) {
    if (others.length > 0)
      throw new UsageError(`${named[study]}: is a study: compare one study at a time, without runs`);
    if (transfer !== undefined)
      throw new UsageError("--transfer: is of runs; the networks of a study keep no such results");
    return openStudy(folders[0]!, { imports: await importFiles(options.import) });
  }
  if (others.length === 0)
    throw new UsageError(
      existsSync(first)
        ? `${first}: is no study, and one run has nothing to be compared with: give two or more runs`
        : `${first}: there is no such study, neither here nor in results/; to compare runs, give two or more`,
    );
  if (options.import)
    throw new UsageError("--import: runs are compared without it; only a study may need it");
  const runs = [];
  for (const name of named) runs.push(await findRun(name));
  return studyOfRuns(runs, { ...(part && { part }), ...(transfer !== undefined && { transfer }) });
}

/** The first metric of transfers that a network has. */
async function firstMetric({ arms }: StudyResult): Promise<string> {
  const { transferMetrics } = await import("../transfer/index.js");
  const results = arms.flatMap(({ lines }) => lines.flatMap(({ networks }) => networks));
  const has = (name: string) => results.some((network) => name in (network?.transfer ?? {}));
  return (transferMetrics.find(({ name }) => has(name)) ?? transferMetrics[0]!).name;
}

function partOf(text: string): Part {
  if (text === "test") return "test";
  if (text === "held-out" || text === "heldOut") return "heldOut";
  throw new UsageError(`--part ${text}: must be test or held-out`);
}

/** Turns what is wrong with names that were given into wrong use of the command. */
function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** @throws Error when nothing has such a value: there is nothing to compare */
function checkHasValues(
  { arms, part: about }: StudyResult,
  { metric, part }: Measure,
  { armValues, partInWords }: typeof import("../study/index.js"),
): void {
  const has = arms.some((arm) => {
    const { generations, ensemble } = armValues(arm, { metric, part });
    return [...generations.flat(), ...ensemble].some((value) => value !== null);
  });
  if (has) return;
  const images = partInWords(part);
  const trained = arms.some(({ lines }) => lines.some(({ networks }) => networks.some(Boolean)));
  if (!trained) throw new Error("no network is trained yet: there is nothing to compare");
  const hint =
    part === "test" && about === "heldOut"
      ? ": a search does not load them"
      : "; --metric and --part name others";
  throw new Error(`no network has ${metric} on ${images}${hint}`);
}

function failUnlessShown(expectations: readonly JudgedExpectation[]): void {
  const missed = expectations.filter(({ shown }) => !shown);
  if (missed.length === 0) return;
  throw new NotShown(missed.map(({ sentence }) => sentence).join("\n"));
}
