/** What a run came to, as text for a terminal. */

import { duration, fixed, nameOf, percent } from "../report/numbers.js";
import type { EnsembleResult, GenerationResult } from "../runs/types.js";
import { table } from "./text.js";

const headings = [
  "top-1",
  "top-5",
  "NLL",
  "ECE",
  "mean top score",
  "secondary score",
  "agreement",
  "training",
];

/** A table of generations and one of ensembles, with what the columns mean. */
export function resultTables(
  generations: readonly GenerationResult[],
  ensembles: Readonly<Record<string, EnsembleResult>>,
): string {
  const rows = generations.map(({ generation, role, test, trainSeconds }) => [
    nameOf(generation, role),
    percent(test.top1),
    percent(test.top5),
    fixed(test.nll),
    percent(test.ece),
    fixed(test.meanTopScore),
    fixed(test.meanSecondaryScore, 4),
    test.teacherAgreement === undefined ? "" : percent(test.teacherAgreement),
    duration(trainSeconds),
  ]);
  const together = Object.entries(ensembles).map(([members, { test }]) => [
    `ensemble ${members.replace("-", "–")}`,
    percent(test.top1),
    "",
    fixed(test.nll),
    percent(test.ece),
  ]);
  return table([["on the test images", ...headings], ...rows, ...together]);
}
