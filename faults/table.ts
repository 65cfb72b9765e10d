/** The rows of the table of faults, and the table for a terminal. */
import type { Outcome } from "./fault.js";

/** What all tries of one fault came to. */
export interface Row {
  fault: string;
  tries: number;
  survived: number;
  /** Seconds of work that a try cost at most. */
  lostSecondsAtMost: number;
  /** Whether every try that could be compared ended with the bits of the unbroken job. */
  bitIdentical: boolean;
}

/** Sums up the tries of a fault. */
export function rowOf(fault: string, outcomes: readonly Outcome[]): Row {
  return {
    fault,
    tries: outcomes.length,
    survived: outcomes.filter(({ survived }) => survived).length,
    lostSecondsAtMost: Number(Math.max(0, ...outcomes.map(({ lostSeconds }) => lostSeconds)).toFixed(1)),
    bitIdentical: outcomes.every(({ survived, bitIdentical }) => survived && bitIdentical !== false),
  };
}

/** Tells whether nothing was lost in any row. */
export const isSound = (rows: readonly Row[]) =>
  rows.every(({ tries, survived, bitIdentical }) => survived === tries && bitIdentical);

const headings = ["fault", "tries", "survived", "lost at most", "bit-identical"];

/** Lays rows out as lines of text, the headings first. */
export function linesOf(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [
    row.fault,
    String(row.tries),
    String(row.survived),
    `${row.lostSecondsAtMost.toFixed(1)} s`,
    row.bitIdentical ? "yes" : "NO",
  ]);
  const widths = headings.map((heading, c) =>
    Math.max(heading.length, ...cells.map((row) => row[c]!.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join("  ")
      .trimEnd();
  return [headings, ...cells].map(line);
}
