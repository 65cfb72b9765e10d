/** The options `--mean` and `--weights` of commands that evaluate or use ensembles. */
import type { EnsembleOptions } from "../analysis/index.js";
import { UsageError } from "./errors.js";

/** The options of a command that say how an ensemble is put together, as they were typed. */
export interface EnsembleTexts {
  mean?: string;
  weights?: string;
}

/**
 * Reads `--mean` and `--weights`.
 *
 * @param set the option that names the ensemble's generations, for messages
 * @param members the number of generations that it names; undefined where it is not given
 * @throws UsageError when one of them is no mean or no list of weights, or has no ensemble to be for
 */
export function ensembleOptions(
  { mean, weights }: EnsembleTexts,
  set: string,
  members: number | undefined,
): EnsembleOptions {
  const given = mean === undefined ? weights && "--weights" : "--mean";
  if (members === undefined) {
    if (given) throw new UsageError(`${given} is of an ensemble: give its generations by ${set}`);
    return {};
  }
  if (mean !== undefined && mean !== "softmax" && mean !== "logits")
    throw new UsageError(`--mean ${mean}: must be softmax or logits`);
  if (weights === undefined) return { mean };
  const numbers = weights.split(",").map((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN));
  if (numbers.some(Number.isNaN) || numbers.length !== members || numbers.every((weight) => weight === 0))
    throw new UsageError(
      `--weights ${weights}: must be ${members} numbers of 0 or more, as ${Array.from({ length: members }, (_, i) => i + 1).join(",")}, ` +
        "one for each generation of the ensemble and not all 0",
    );
  return { mean, weights: numbers };
}
