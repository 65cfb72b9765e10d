/** What a fault is, and what trying it comes to. */
import type { Workplace } from "./workplace.js";

/** A SHA-256 that stands for the end of a job: the same bits have the same. */
export interface Digest {
  /** What it is of, such as the last generation's weights of a job. */
  of: string;
  unbroken: string;
  found: string;
}

/** What one try of a fault came to. */
export interface Outcome {
  /**
   * Whether the job came to its end, be it after the remedy that a message named, or was refused with a sentence that names the
   * file; never by a crash, a stack trace or silence.
   */
  survived: boolean;
  /** Whether the end is, bit for bit, that of the unbroken job; undefined where a person's edit cannot be told from the fault. */
  bitIdentical?: boolean | undefined;
  /** That of the unbroken job, and that to which the struck one came, where they are compared. */
  digest?: Digest | undefined;
  /** Seconds of work that the fault cost: from the last state that was on the disk to the fault. */
  lostSeconds: number;
  /** What went wrong, where it did. */
  problem?: string | undefined;
}

/** One kind of fault, by which a small job is struck some times. */
export interface Fault {
  /** The name in the table, and for `--only`. */
  name: string;
  /** How often it is tried: in full, and with `--quick`. */
  tries: { full: number; quick: number };
  /** Says why the fault cannot be tried on this machine; undefined where it can. */
  missing?(): string | undefined;
  /**
   * Strikes one job once, and checks its end.
   *
   * @param index the number of the try, from 0
   * @param random gives numbers from 0 to 1, which decide where and when
   */
  strike(place: Workplace, index: number, random: () => number): Promise<Outcome>;
}
