/** What the long run and its processes tell each other. */

/** What the parent asks for; JSON in the first argument. */
export interface Order {
  reader: string;
  seed: number;
  /** The number of the first batch to try, and of the one to stop before. */
  from: number;
  to: number;
  /** After so many seconds no further batch is begun. */
  seconds: number;
  /** A folder of the reader's own. */
  root: string;
  /** The path of a file that says which input is tried, over and over in place. */
  position: string;
  /** The path of the file for the result, which is replaced after every few batches. */
  result: string;
}

/** What came of some batches. */
export interface Result {
  /** The number of the batch after them. */
  next: number;
  accepted: number;
  refused: number;
  /** What broke a rule: a batch each, with the smallest input. */
  broken: string[];
  /** The largest resident memory of the process, in MB. */
  megabytes: number;
}

/** Inputs are drawn in batches of this many, each from its own seed. */
export const batch = 200;
