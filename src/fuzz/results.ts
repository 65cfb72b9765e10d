/** What readers were given in long runs, in a file: a run goes on where the last one with its seed stopped. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** What became of one reader's inputs of one seed, on one machine. */
export interface Row {
  reader: string;
  seed: number;
  /** The processor's name. */
  machine: string;
  /** The days of the first and of the last piece. */
  began: string;
  date: string;
  /** The number of the batch with which the next piece begins. */
  next: number;
  inputs: number;
  accepted: number;
  refused: number;
  crashes: number;
  hangs: number;
  /** Batches in which a rule was broken. */
  broken: number;
  /** The largest resident memory of a process, in MB. */
  megabytes: number;
  /** The time of all pieces, beside whatever else the machine did. */
  seconds: number;
}

export interface Results {
  about: string;
  rows: Row[];
}

const about =
  "Damaged files for everything that reads one (src/fuzz). `LYCEUM_FUZZ_RUNS=1000000 npx vitest run --project all " +
  "src/fuzz/long.test.ts` goes on with each reader.";

/** Reads the file; nothing where there is none. */
export function readResults(path: string): Results {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { about, rows: [] };
}

const today = () => new Date().toISOString().slice(0, 10);

/** Finds where a reader stands with a seed on this machine, or begins with it. */
export function rowOf({ rows }: Results, reader: string, seed: number, machine: string): Row {
  const known = rows.find((row) => row.reader === reader && row.seed === seed && row.machine === machine);
  if (known) return { ...known };
  const counts = { next: 0, inputs: 0, accepted: 0, refused: 0, crashes: 0, hangs: 0, broken: 0 };
  return { reader, seed, machine, began: today(), date: today(), ...counts, megabytes: 0, seconds: 0 };
}

/** Puts a reader's row into the file, in place of the one before. The file is there as a whole at any moment. */
export function writeRow(path: string, row: Row): void {
  const results = readResults(path);
  const same = ({ reader, seed, machine }: Row) =>
    reader === row.reader && seed === row.seed && machine === row.machine;
  const at = results.rows.findIndex(same);
  results.rows.splice(at < 0 ? results.rows.length : at, at < 0 ? 0 : 1, { ...row, date: today() });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(results, undefined, 2)}\n`);
  renameSync(temporary, path);
}
