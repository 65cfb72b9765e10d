/** The file of a long run's results, which is written after each try, so that the run can be done in pieces. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Outcome } from "./fault.js";
import type { Row } from "./table.js";

/** What must be the same for results to add up. */
export interface Conditions {
  /** The version of Lyceum. */
  lyceum: string;
  /** The processor: another one need not give the same bits. */
  machine: string;
  /** How often faults are tried, as far as it was asked for. */
  options: Readonly<Record<string, string | boolean>>;
}

interface Content extends Conditions {
  about: string;
  date: string;
  seed: number;
  rows: Row[];
  /** What the tries of a fault came to that was not tried as often as it is; null for those that are left. */
  underWay?: { fault: string; outcomes: (Outcome | null)[] };
}

const about =
  "Small trainings under faults (faults/). `npm run faults -- --out FILE`, with the name of this file and the same --only, goes on with it.";

export class ResultsFile {
  readonly #path: string;
  readonly #content: Content;

  private constructor(path: string, content: Content) {
    this.#path = path;
    this.#content = content;
  }

  /**
   * Opens a file, or begins one.
   *
   * @param seed what was asked for; a seed of its own where it is left out
   * @throws Error that names the file where it holds results of other conditions, or of another seed than is asked for
   */
  static open(path: string, conditions: Conditions, seed: number | undefined): ResultsFile {
    if (!existsSync(path)) {
      const chosen = seed ?? Math.floor(Math.random() * 2 ** 31);
      return new ResultsFile(path, { about, ...conditions, date: "", seed: chosen, rows: [] });
    }
    const content = JSON.parse(readFileSync(path, "utf8")) as Content;
    const { lyceum, machine, options } = content;
    const given = { ...conditions, ...(seed !== undefined && { seed }) };
    const there = { lyceum, machine, options, ...(seed !== undefined && { seed: content.seed }) };
    if (JSON.stringify(given) !== JSON.stringify(there))
      throw new Error(
        `${path}: holds results of ${JSON.stringify(there)}, which are not added to those of ${JSON.stringify(given)}: ` +
          "name another file, or remove this one",
      );
    return new ResultsFile(path, content);
  }

  /** Decides moments, bits and lengths. */
  get seed(): number {
    return this.#content.seed;
  }

  /** The faults that were tried as often as they are. */
  get rows(): readonly Row[] {
    return this.#content.rows;
  }

  /** What the tries of a fault came to that were made before this run. */
  outcomesOf(fault: string): (Outcome | undefined)[] {
    const { underWay } = this.#content;
    return underWay?.fault === fault ? underWay.outcomes.map((outcome) => outcome ?? undefined) : [];
  }

  /** Keeps what the tries of a fault came to so far. */
  note(fault: string, outcomes: readonly (Outcome | undefined)[]): void {
    // A list may have holes.
    this.#content.underWay = { fault, outcomes: Array.from(outcomes, (outcome) => outcome ?? null) };
    this.#write();
  }

  /** Keeps the row of a fault that was tried as often as it is. */
  add(row: Row): void {
    delete this.#content.underWay;
    this.#content.rows.push(row);
    this.#write();
  }

  /** Writes the whole file anew: it is whole at any moment. */
  #write(): void {
    this.#content.date = new Date().toISOString().slice(0, 10);
    const { underWay, ...rest } = this.#content;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify({ ...rest, ...(underWay && { underWay }) }, undefined, 2)}\n`);
    renameSync(temporary, this.#path);
  }
}
