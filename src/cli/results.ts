/** A run's results, as text for a terminal. */
import { resultRows } from "../report/result-rows.js";
import type { RunResult } from "../runs/types.js";
import { table } from "./text.js";

/** A table of generations and ensembles, and what its columns mean. */
export function resultTables(result: Pick<RunResult, "generations" | "ensembles" | "k">): string {
  const { headings, rows, notes } = resultRows("terminal", result);
  return [table([["on the test images", ...headings], ...rows]), ...notes].join("\n");
}
