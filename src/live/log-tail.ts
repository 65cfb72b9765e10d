import { constants, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { type EpochRecord, parseRecord } from "../runs/index.js";
import { EpochCurve } from "./epoch-curve.js";

/** How much is read at once. */
const PIECE = 1024 * 1024;
/** The longest line that is read; a record is some hundred bytes long. */
const MAX_LINE = 64 * 1024;
/** The most generations whose curves are kept, so that a forged log cannot fill the memory. */
const MOST_GENERATIONS = 100;

/**
 * Follows a run's metrics.jsonl as it grows, in memory that does not grow with it. Lines that are no records, as a crash leaves
 * them, are left out, and the last line waits until it is whole.
 */
export class LogTail {
  readonly #path: string;
  #curves = new Map<number, EpochCurve>();
  #file: Pick<Stats, "ino" | "dev"> | undefined;
  #offset = 0;
  #rest = Buffer.alloc(0);
  #skipping = false;
  #reading: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what was appended since the last time. A file that was replaced or cut is read anew; one that cannot be read is empty. */
  read(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The records of all generations, in order. */
  get records(): EpochRecord[] {
    const order = [...this.#curves].sort(([a], [b]) => a - b);
    return order.flatMap(([, curve]) => curve.records);
  }

  /** Every how manieth epoch of the longest generation is kept. */
  get stride(): number {
    return Math.max(1, ...[...this.#curves.values()].map(({ stride }) => stride));
  }

  async #readOn(): Promise<void> {
    // Neither a link out of the folder nor a pipe, which would wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
    const file = await open(this.#path, flags).catch((error: NodeJS.ErrnoException) => error.code ?? "");
    if (typeof file === "string") {
      // A disk in the network may fail for a while, which takes nothing of what was read.
      if (["ENOENT", "ELOOP", "ENOTDIR"].includes(file)) this.#restart(undefined);
      return;
    }
    try {
      const found = await file.stat();
      if (!found.isFile()) return this.#restart(undefined);
      const isOther = found.ino !== this.#file?.ino || found.dev !== this.#file.dev;
      if (isOther || found.size < this.#offset) this.#restart(found);
      const piece = Buffer.alloc(Math.min(PIECE, Math.max(1, found.size - this.#offset)));
      while (this.#offset < found.size) {
        const { bytesRead } = await file.read(piece, 0, piece.length, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#take(piece.subarray(0, bytesRead));
      }
    } catch {
      // A disk in the network may fail for a while; the next look goes on where this one ended.
    } finally {
      await file.close().catch(() => {});
    }
  }

  #restart(file: Stats | undefined): void {
    this.#file = file && { ino: file.ino, dev: file.dev };
    this.#curves = new Map();
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    this.#skipping = false;
  }

  #take(piece: Buffer): void {
    let buffer = Buffer.concat([this.#rest, piece]);
    for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
      if (!this.#skipping) this.#add(buffer.toString("utf8", 0, end));
      this.#skipping = false;
      buffer = buffer.subarray(end + 1);
    }
    if (buffer.length > MAX_LINE) {
      this.#skipping = true;
      buffer = Buffer.alloc(0);
    }
    this.#rest = Buffer.from(buffer);
  }

  #add(line: string): void {
    const record = parseRecord(line);
    if (!record) return;
    let curve = this.#curves.get(record.generation);
    if (!curve) {
      if (this.#curves.size === MOST_GENERATIONS) return;
      curve = new EpochCurve();
      this.#curves.set(record.generation, curve);
    }
    curve.add(record);
  }
}
