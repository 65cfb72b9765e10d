import { Command } from "commander";
import { metrics } from "../analysis/metrics.js";
import type { Difference, RunEvaluation } from "../generations/index.js";
import { metricText } from "../report/numbers.js";
import { NotAsStored, UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";
import { resultTables } from "./results.js";

interface EvaluateOptions {
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
    .option("--ensemble <a-b>", "generations a to b, and the mean of their scores")
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
  $ npx lyceum evaluate runs/quickstart --ensemble 0-2 --json`,
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
  const { evaluateRun } = await import("../generations/index.js");
  const result = await evaluateRun(directory, {
    generations,
    imports,
    ensemble: options.ensemble !== undefined,
    onGeneration: (generation, testImages) =>
      process.stderr.write(`generation ${generation} predicts ${testImages} test images\n`),
  });
  const members = `${generations[0]}-${generations.at(-1)}`;
  const ensembles = result.ensemble ? { [members]: result.ensemble } : {};
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
    console.log(lines ? `\nnot what the training stored:${lines}` : `\n${verdict(result, members)}`);
  }
  if (differences.length > 0)
    throw new NotAsStored(
      `${directory}: not what the training stored; weights, logits, summary.json or the images were changed since`,
    );
}

/**
 * Gives the generations that the options ask for, in order; all finished ones where they ask for none.
 *
 * @param finished the number of finished generations
 * @throws UsageError when both options are given, or one that names a generation which is not finished
 */
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
function verdict({ logits, ensemble, stored }: RunEvaluation, members: string): string {
  let rounded = ", as far as numbers tell: not all generations' logits are stored";
  if (logits?.difference === 0) rounded = "";
  else if (logits)
    rounded = `, up to rounding: logits differ by up to ${short(logits.difference)}, where rounding explains ${short(logits.allowed)}`;
  const unstored = ensemble && !stored.ensembles[members] ? ", which stored no such ensemble" : "";
  return `the same as the training stored${unstored}${rounded}`;
}

const short = (value: number) => value.toExponential(1);
