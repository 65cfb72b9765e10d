/** The counts of the fuzz, and the file in which they add up. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Counts } from "./child.js";
import { families } from "./families.js";

/** One run of main.ts. */
export interface Entry {
  date: string;
  /** The processor's name. */
  machine: string;
  libtorch: string;
  /** The pattern that operators' names were limited to. */
  only: string | null;
  /** Whether tensors' memory ended at a page that may not be touched. */
  guarded: boolean;
  seed: number;
  seconds: number;
  /** The processor's time in seconds; the first entry does not have it. */
  work?: number;
  /** How many were run to their end. */
  programs: number;
  /** How many operators were called, and how many of them returned at least once. */
  operators: { called: number; returned: number };
  calls: Counts["calls"];
  /** Programs that ended their process. Their operators are refused since (refused.ts), or were mended. */
  lost: { seed: number; program: number; step: number; operator: string; how: string }[];
}

export interface Results {
  about: string;
  runs: Entry[];
}

const about =
  "Random programs over all offered operators (src/torch/fuzz). `npm run fuzz:bridge` adds a run; docs/status.md has the sum.";

export function noCounts(): Counts {
  return { programs: 0, work: 0, calls: {}, called: [], returned: [] };
}

/** The counts in a file; none where there is no such file, or one that was being written when its process died. */
export function readCounts(path: string): Counts {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return noCounts();
  }
}

export function addCounts(a: Counts, b: Counts): Counts {
  const calls: Counts["calls"] = {};
  for (const family of families) {
    const [left, right] = [a.calls[family], b.calls[family]];
    if (!left && !right) continue;
    calls[family] = {
      calls: (left?.calls ?? 0) + (right?.calls ?? 0),
      returned: (left?.returned ?? 0) + (right?.returned ?? 0),
    };
  }
  const union = (first: string[], second: string[]) => [...new Set([...first, ...second])];
  return {
    programs: a.programs + b.programs,
    work: a.work + b.work,
    calls,
    called: union(a.called, b.called),
    returned: union(a.returned, b.returned),
  };
}

/** Adds an entry to the file, which is made where there is none. */
export function addEntry(path: string, entry: Entry): Results {
  const results: Results = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { about, runs: [] };
  results.runs.push(entry);
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return results;
}

export function totalOf({ runs }: Results): number {
  return runs.reduce((sum, { programs }) => sum + programs, 0);
}
