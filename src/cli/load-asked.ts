/** The options by which commands choose the networks of a run: one generation, or several as an ensemble. */
import type { Command } from "commander";
import { parseGenerations } from "../generations/generation-set.js";
import type { LoadedModel } from "../predict/index.js";
import { type EnsembleTexts, ensembleOptions } from "./ensemble-options.js";
import { UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { importFiles } from "./imports.js";

/** These options, as they were typed. */
export interface AskedTexts extends EnsembleTexts {
  generation?: string;
  generations?: string;
  import?: string[];
}

export const withGenerations = (command: Command) =>
  command
    .option("--generation <g>", "ask this generation (default: the last one finished; 0 is the patriarch)")
    .option("--generations <set>", "ask these generations together, as 0-2 or 0,2")
    .option("--mean <of>", "of generations together: the mean of softmax or of logits (default: softmax)")
    .option(
      "--weights <list>",
      "of generations together: how much each counts, as 1,2 (default: all the same)",
    );

/**
 * Loads the networks that the options ask for.
 *
 * @param nameOrPath a run's folder or name, or a weights file
 * @returns the loaded model, which the caller frees
 * @throws UsageError when an option is wrong or names a generation that is not finished; what {@link loadModel} throws
 */
export async function loadAsked(
  nameOrPath: string,
  options: AskedTexts,
  device: "cpu" = "cpu",
): Promise<LoadedModel> {
  const generation =
    options.generation === undefined ? undefined : wholeNumber("--generation", options.generation, 0);
  const set = options.generations === undefined ? undefined : parseGenerations(options.generations);
  // A text that names no generations is refused below, where the run's are known.
  const isWrong = options.generations !== undefined && !set;
  const ensemble = isWrong ? {} : ensembleOptions(options, "--generations", set?.length);
  const path = await findRun(nameOrPath);
  const { loadModel } = await import("../predict/index.js");
  const imports = await importFiles(options.import);
  const { generations } = options;
  return await loadModel(path, { generation, generations, ...ensemble, imports, device }).catch((error) => {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  });
}

/** @throws UsageError when the text is no whole number, or below the least one */
export function wholeNumber(option: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option} ${text}: must be a whole number from ${least}`);
}
