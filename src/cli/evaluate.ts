import { Command } from "commander";
import { percent } from "../report/numbers.js";
import type { EnsembleResult, GenerationResult, Summary } from "../runs/types.js";
import { UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { resultTables } from "./results.js";

interface EvaluateOptions {
  generation?: string;
  ensemble?: string;
  json?: boolean;
}

export const evaluateCommand = () =>
  new Command("evaluate")
    .description("run a trained run's networks on the test images again, and compare with what was stored")
    .argument("<run>", "a run's folder, or its name in runs/")
    .option("--generation <g>", "only this generation (0 is the patriarch)")
    .option("--ensemble <a-b>", "generations a to b, and the mean of their scores")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Training read the test images once, at its end, and stored what came of it. This computes the same numbers
from the stored weights, and says where they differ. It is a check of the files, not a second result.

Examples:
  $ npx lyceum evaluate quickstart
  $ npx lyceum evaluate runs/quickstart --generation 2
  $ npx lyceum evaluate runs/quickstart --ensemble 0-2 --json`,
    )
    .action(evaluate);

async function evaluate(nameOrPath: string, options: EvaluateOptions): Promise<void> {
  const directory = await findRun(nameOrPath);
  const { RunFolder } = await import("../runs/index.js");
  const finished =
    (await RunFolder.open(directory).then((run) => run.readSummary()))?.generations.length ?? 0;
  if (finished === 0) throw new Error(`${directory}: no generation is finished yet`);
  const generations = chosen(options, finished);
  const { evaluateRun } = await import("../generations/index.js");
  const result = await evaluateRun(directory, {
    generations,
    ensemble: options.ensemble !== undefined,
    onGeneration: (generation, testImages) =>
      process.stderr.write(`generation ${generation} answers for ${testImages} test images\n`),
  });
  const members = `${generations[0]}-${generations.at(-1)}`;
  const ensembles = result.ensemble ? { [members]: result.ensemble } : {};
  const differences = compare(result.stored, result.generations, ensembles);
  if (options.json) {
    console.log(
      JSON.stringify({ directory, generations: result.generations, ensembles, differences }, null, 2),
    );
    return;
  }
  console.log(resultTables(result.generations, ensembles));
  const unstored = result.ensemble && !result.stored.ensembles[members];
  console.log(
    differences.length === 0
      ? `\nthe same as the training stored${unstored ? ", which stored no such ensemble" : ""}`
      : `\nnot what the training stored:\n${differences.map((line) => `  ${line}`).join("\n")}`,
  );
}

/** The generations asked for, in order. */
export function chosen({ generation, ensemble }: EvaluateOptions, finished: number): number[] {
  if (generation !== undefined && ensemble !== undefined)
    throw new UsageError("--generation or --ensemble, not both");
  const all = Array.from({ length: finished }, (_, i) => i);
  if (generation === undefined && ensemble === undefined) return all;
  const [, from, to] =
    generation !== undefined ? [0, generation, generation] : (/^(\d+)-(\d+)$/.exec(ensemble!) ?? [0, "", ""]);
  const numbers = all.filter((g) => /^\d+$/.test(from!) && g >= Number(from) && g <= Number(to));
  if (numbers.length === 0 || Number(to) >= finished)
    throw new UsageError(
      generation !== undefined
        ? `--generation ${generation}: must be from 0 to ${finished - 1}, the last one finished`
        : `--ensemble ${ensemble}: must look like 0-${finished - 1}; generations 0 to ${finished - 1} are finished`,
    );
  return numbers;
}

/** Other machines add up in another order: that moves a metric in its last digits, never an accuracy by a tenth. */
const TOLERANCE = 1e-4;

/** Where recomputed numbers are not the stored ones, in words. */
export function compare(
  summary: Summary,
  generations: readonly GenerationResult[],
  ensembles: Readonly<Record<string, EnsembleResult>>,
): string[] {
  const differs = (a: number, b: number) =>
    Math.abs(a - b) > TOLERANCE || Number.isNaN(a) !== Number.isNaN(b);
  const lines: string[] = [];
  const check = (name: string, stored: Record<string, unknown>, now: Record<string, unknown>) => {
    for (const [metric, value] of Object.entries(byRank(now))) {
      const before = byRank(stored)[metric];
      if (typeof value !== "number" || typeof before !== "number" || !differs(value, before)) continue;
      const show = metric.startsWith("top") ? percent : String;
      lines.push(`${name}: ${metric} is ${show(value)}, stored was ${show(before)}`);
    }
  };
  for (const { generation, test } of generations) {
    const stored = summary.generations.find((one) => one.generation === generation);
    if (stored) check(`generation ${generation}`, { ...stored.test }, { ...test });
  }
  for (const [members, { test }] of Object.entries(ensembles)) {
    const stored = summary.ensembles[members];
    if (stored) check(`ensemble ${members}`, { ...stored.test }, { ...test });
  }
  return lines;
}

/** Each rank's score as a metric of its own. */
function byRank({ scoreByRank = [], ...others }: Record<string, unknown>): Record<string, unknown> {
  const ranks = (scoreByRank as number[]).map((score, i) => [`scoreByRank[${i}]`, score]);
  return { ...others, ...Object.fromEntries(ranks) };
}
