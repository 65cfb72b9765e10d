/** Tries faults, several at a time, and sums up what they came to. */
import type { Fault, Outcome } from "./fault.js";
import { randomOf } from "./random.js";
import type { ResultsFile } from "./results-file.js";
import { type Row, rowOf } from "./table.js";
import type { Workplace } from "./workplace.js";

export interface TryOptions {
  quick: boolean;
  /** Decides moments, bits and lengths: each try has its own from it. */
  seed: number;
  /** How many jobs run at the same time. */
  atOnce: number;
  /** Keeps what tries came to; what it has of an earlier run is not tried again. */
  record?: ResultsFile;
  /** Called when a fault was tried as often as it is, or is left out with a reason. */
  onRow?: (row: Row, problems: string[]) => void;
  onMissing?: (fault: string, why: string) => void;
}

/** Tries one fault after another. */
export async function tryFaults(
  faults: readonly Fault[],
  place: Workplace,
  { quick, seed, atOnce, record, onRow, onMissing }: TryOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fault of faults) {
    const count = quick ? fault.tries.quick : fault.tries.full;
    if (count === 0) continue;
    const known = record?.rows.find((row) => row.fault === fault.name);
    if (known) {
      rows.push(known);
      continue;
    }
    const missing = fault.missing?.();
    if (missing !== undefined) {
      onMissing?.(fault.name, missing);
      continue;
    }
    const outcomes = (record?.outcomesOf(fault.name) ?? []) as Outcome[];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < count; index = next++) {
        if (outcomes[index]) continue;
        outcomes[index] = await fault
          .strike(place, index, randomOf(seed, fault.name, index))
          .catch((error: Error) => ({
            survived: false,
            lostSeconds: 0,
            problem: error.message,
          }));
        record?.note(fault.name, outcomes);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const row = rowOf(fault.name, outcomes);
    rows.push(row);
    record?.add(row);
    const problems = outcomes.flatMap(({ problem }, i) =>
      problem ? [`${fault.name}, try ${i}: ${problem}`] : [],
    );
    onRow?.(row, problems);
  }
  return rows;
}
