/** The rows of the table of faults, and the table for a terminal. */
import type { Outcome } from "./fault.js";

/** A job's end by its SHA-256, and how many of the tries came to it. */
export interface Digests {
  unbroken: string;
  /** Tries whose end was compared with it. */
  tries: number;
  /** Tries that came to it. */
  same: number;
}

/** What all tries of one fault came to. */
export interface Row {
  fault: string;
  tries: number;
  survived: number;
  /** Seconds of work that a try cost at most. */
  lostSecondsAtMost: number;
  /** Whether every try that could be compared ended with the bits of the unbroken job. */
  bitIdentical: boolean;
  /** The ends of the jobs that were struck, by what the SHA-256 is of; left out where none was compared. */
  sha256?: Readonly<Record<string, Digests>>;
}

/** Sums up the tries of a fault. */
export function rowOf(fault: string, outcomes: readonly Outcome[]): Row {
  return {
    fault,
    tries: outcomes.length,
    survived: outcomes.filter(({ survived }) => survived).length,
    lostSecondsAtMost: Number(Math.max(0, ...outcomes.map(({ lostSeconds }) => lostSeconds)).toFixed(1)),
    bitIdentical: outcomes.every(({ survived, bitIdentical }) => survived && bitIdentical !== false),
    ...digestsOf(outcomes),
  };
}

function digestsOf(outcomes: readonly Outcome[]): Pick<Row, "sha256"> {
  const sha256: Record<string, Digests> = {};
  for (const { digest } of outcomes) {
    if (!digest) continue;
    const { of, unbroken, found } = digest;
    sha256[of] ??= { unbroken, tries: 0, same: 0 };
    sha256[of].tries++;
    // Compared with what is shown: tries of several sittings must all have come to the same bits.
    if (found === sha256[of].unbroken) sha256[of].same++;
  }
  return Object.keys(sha256).length > 0 ? { sha256 } : {};
}

/** Tells whether nothing was lost in any row. */
export const isSound = (rows: readonly Row[]) =>
  rows.every(
    ({ tries, survived, bitIdentical, sha256 = {} }) =>
      survived === tries && bitIdentical && Object.values(sha256).every((each) => each.same === each.tries),
  );

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

/** Lays the ends of jobs out as lines of text: whose they are, and how many tries of all faults came to them. */
export function digestLinesOf(rows: readonly Row[]): string[] {
  const sums = new Map<string, Digests>();
  for (const { sha256 = {} } of rows)
    for (const [of, { unbroken, tries, same }] of Object.entries(sha256)) {
      const sum = sums.get(of) ?? { unbroken, tries: 0, same: 0 };
      sums.set(of, {
        ...sum,
        tries: sum.tries + tries,
        same: sum.same + (unbroken === sum.unbroken ? same : 0),
      });
    }
  return [...sums].map(
    ([of, { unbroken, tries, same }]) => `${unbroken}  ${of}: unbroken, and after ${same} of ${tries} tries`,
  );
}
