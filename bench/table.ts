/** The table that is printed: medians, with the middle half of the samples in brackets. */
import type { Spread } from "./sampling.js";
import type { Row } from "./work.js";

function figure({ lower, median, upper }: Spread): string {
  const digits = median < 10 ? 2 : median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} [${lower.toFixed(digits)} … ${upper.toFixed(digits)}]`;
}

export function table(rows: readonly Row[]): string {
  const lines = [
    ["work", "model", "unit", "Lyceum", "peer", "peer's", "ratio"],
    ...rows.map(({ work, model, unit, peer, spread, ratio }) => [
      work,
      model,
      unit,
      figure(spread.ours),
      peer,
      figure(spread.theirs),
      ratio.toFixed(2),
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
