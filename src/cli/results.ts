/** Shows a run's results as text for a terminal. */
import { resultRows } from "../report/result-rows.js";
import type { RunResult } from "../runs/types.js";
import { table } from "./text.js";

/**
 * Makes a table of generations and ensembles, with a line below it for each column that needs an explanation.
 */
export function resultTables(result: Pick<RunResult, "generations" | "ensembles" | "k">): string {
  const { headings, rows, notes } = resultRows("terminal", result);
  return [table([["on the test images", ...headings], ...rows]), ...notes].join("\n");
}
