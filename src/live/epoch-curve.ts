import type { EpochRecord } from "../runs/index.js";

/** The most records of a generation that are kept, an even number: more could not be told apart in a chart. */
const MOST_RECORDS = 1000;

/** The records of a generation's epochs, in order: all of them, or of a long training every second, every fourth, … and the last. */
export class EpochCurve {
  #kept: EpochRecord[] = [];
  #last: EpochRecord | undefined;
  #stride = 1;

  /** Adds a record. One of an epoch that is there already takes its place, and those after it go: it was trained again. */
  add(record: EpochRecord): void {
    if (this.#last && record.epoch <= this.#last.epoch) {
      this.#kept = this.#kept.filter(({ epoch }) => epoch < record.epoch);
      this.#last = this.#kept.at(-1);
    }
    this.#last = record;
    if ((record.epoch - 1) % this.#stride !== 0) return;
    this.#kept.push(record);
    if (this.#kept.length < MOST_RECORDS) return;
    this.#stride *= 2;
    this.#kept = this.#kept.filter(({ epoch }) => (epoch - 1) % this.#stride === 0);
  }

  get records(): EpochRecord[] {
    const last = this.#last;
    return last && this.#kept.at(-1) !== last ? [...this.#kept, last] : [...this.#kept];
  }

  /** Every how manieth epoch is kept. */
  get stride(): number {
    return this.#stride;
  }
}
