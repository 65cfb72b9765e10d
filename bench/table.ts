/** The rows as a person reads them: medians, the middle half of the samples in brackets. */
import type { Spread } from "./sampling.js";
import type { Row } from "./work.js";

function figure({ lower, median, upper }: Spread): string {
  const digits = median < 10 ? 2 : median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} [${lower.toFixed(digits)} … ${upper.toFixed(digits)}]`;
}

export function table(rows: readonly Row[]): string {
  const lines = [
    ["work", "what", "unit", "Lyceum", "peer", "peer's", "times as fast"],
    ...rows.map((row) => [
      row.work,
      row.model,
      row.unit,
      figure(row.ours),
      row.theirs ? row.peer : `${row.peer} (not there)`,
      row.theirs ? figure(row.theirs) : "–",
      row.ratio === undefined ? "–" : row.ratio.toFixed(2),
    ]),
  ];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
