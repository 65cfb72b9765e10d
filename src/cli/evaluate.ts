import { Command } from "commander";
import { metrics } from "../analysis/metrics.js";
import { parseGenerations } from "../generations/generation-set.js";
import type { Difference, RunEvaluation } from "../generations/index.js";
import { metricText } from "../report/numbers.js";
import { type EnsembleTexts, ensembleOptions } from "./ensemble-options.js";
import { NotAsStored, UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { resultTables } from "./results.js";

interface EvaluateOptions extends EnsembleTexts {
  generation?: string;
  ensemble?: string;
  import?: string[];
  json?: boolean;
}

export const evaluateCommand = () =>
  withImports(new Command("evaluate"))
    .description("run a trained run's networks on the test images again, and compare with what was stored")
    .argument("<run>", "a run's folder, or its name in runs/")
    .option("--generation <g>", "only this generation (0 is the patriarch)")
    .option("--ensemble <set>", "these generations, as 0-2 or 0,2, and all of them together")
    .option("--mean <of>", "of the ensemble: the mean of softmax or of logits (default: softmax)")
    .option(
      "--weights <list>",
      "of the ensemble: how much each generation counts, as 1,2 (default: all the same)",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Training read the test images once, at its end, and stored what came of it. This computes the same numbers
from the stored weights, and says where they differ by more than rounding on another machine explains. It is a
check of the files, not a second result. Exit codes: 0 the same, 3 not the same (--json: see "differences").

Examples:
  $ npx lyceum evaluate quickstart
  $ npx lyceum evaluate runs/quickstart --generation 2
  $ npx lyceum evaluate runs/quickstart --ensemble 0-2 --json
  $ npx lyceum evaluate runs/quickstart --ensemble 0,2 --mean logits --weights 1,2`,
    )
    .action(evaluate);

async function evaluate(nameOrPath: string, options: EvaluateOptions): Promise<void> {
  const directory = await findRun(nameOrPath);
  const imports = await importFiles(options.import);
  const { RunFolder } = await import("../runs/index.js");
  const finished =
    (await RunFolder.open(directory, imports).then((run) => run.readSummary()))?.generations.length ?? 0;
  if (finished === 0) throw new Error(`${directory}: no generation is finished yet`);
  const generations = chosen(options, finished);
  const together = ensembleOptions(
    options,
    "--ensemble",
    options.ensemble === undefined ? undefined : generations.length,
  );
  const { evaluateRun } = await import("../generations/index.js");
  const result = await evaluateRun(directory, {
    generations,
    imports,
    ensemble: options.ensemble !== undefined && together,
    onGeneration: (generation, testImages) =>
      process.stderr.write(`generation ${generation} predicts ${testImages} test images\n`),
  });
  const { name, test } = result.ensemble ?? {};
  const ensembles = name && test ? { [name]: { test } } : {};
  const { differences, stored } = result;
  if (options.json) {
    console.log(
      JSON.stringify(
        {
          directory,
          k: stored.k,
          generations: result.generations,
          ensembles,
          logits: result.logits,
          differences,
        },
        null,
        2,
      ),
    );
  } else {
    const lines = differences.map((difference) => `\n  ${inWords(difference)}`).join("");
    console.log(resultTables({ generations: result.generations, ensembles, k: stored.k }));
    console.log(lines ? `\nnot what the training stored:${lines}` : `\n${verdict(result)}`);
  }
  if (differences.length > 0)
    throw new NotAsStored(
      `${directory}: not what the training stored; weights, logits, summary.json or the images were changed since`,
    );
}

/**
 * Gives the generations that the options ask for, in the order in which they name them; all finished ones
 * where they ask for none.
 *
 * @param finished the number of finished generations
 * @throws UsageError when both options are given, or one that names a generation which is not finished
 */
export function chosen({ generation, ensemble }: EvaluateOptions, finished: number): number[] {
  if (generation !== undefined && ensemble !== undefined)
    throw new UsageError("--generation or --ensemble, not both");
  const last = finished - 1;
  if (generation !== undefined) {
    if (/^\d{1,4}$/.test(generation) && Number(generation) <= last) return [Number(generation)];
    throw new UsageError(`--generation ${generation}: must be from 0 to ${last}, the last one finished`);
  }
  if (ensemble === undefined) return Array.from({ length: finished }, (_, i) => i);
  const numbers = parseGenerations(ensemble);
  if (numbers?.every((number) => number <= last)) return numbers;
  throw new UsageError(
    `--ensemble ${ensemble}: must look like 0-${last} or 0,${last}, each generation once; ` +
      `generations 0 to ${last} are finished`,
  );
}

/** Puts a difference into words. */
function inWords({ of, what, now, stored, difference, allowed }: Difference): string {
  if (now === undefined || stored === undefined)
    return `${of}: ${what} differ by up to ${short(difference)}, where rounding explains ${short(allowed)}`;
  const metric = metrics.find(({ name }) => name === what);
  const exact = (value: number) => String(Number(value.toPrecision(6)));
  const show = (value: number) => (metric?.unit === "fraction" ? metricText(metric, value) : exact(value));
  // Where the usual digits do not show the difference, all digits are shown.
  const [after, before] =
    show(now) === show(stored) ? [String(now), String(stored)] : [show(now), show(stored)];
  return `${of}: ${what} is ${after}, stored was ${before}`;
}

/** Says in words what was found when nothing differs by more than rounding explains. */
function verdict({ logits, ensemble, stored }: RunEvaluation): string {
  let rounded = ", as far as numbers tell: not all generations' logits are stored";
  if (logits?.difference === 0) rounded = "";
  else if (logits)
    rounded = `, up to rounding: logits differ by up to ${short(logits.difference)}, where rounding explains ${short(logits.allowed)}`;
  const unstored = ensemble && !stored.ensembles[ensemble.name] ? ", which stored no such ensemble" : "";
  return `the same as the training stored${unstored}${rounded}`;
}

const short = (value: number) => value.toExponential(1);
