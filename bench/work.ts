/** What a measurement is given and what it must give back. */
import type { Peer } from "./peer.js";
import type { Spread } from "./sampling.js";

export interface Context {
  /** The PyTorch process; undefined when it could not be started. */
  peer: Peer | undefined;
  /** Fewer repetitions: a look, not a result. */
  quick: boolean;
}

/** One line of the table. */
export interface Row {
  work: string;
  model: string;
  peer: string;
  unit: "ns" | "images/s";
  ours: Spread;
  theirs?: Spread;
  /** How many times as fast as the peer; above 1 Lyceum is faster. */
  ratio?: number;
}

export interface Work {
  name: string;
  /** Prints what a reader must know beside the numbers; throws when the two sides do not do the same. */
  run(context: Context): Promise<Row[]>;
}

/** Fills in the ratio: of times the peer's over ours, of rates ours over the peer's. */
export function row(parts: Omit<Row, "ratio">): Row {
  const { ours, theirs, unit } = parts;
  if (!theirs) return parts;
  const ratio = unit === "ns" ? theirs.median / ours.median : ours.median / theirs.median;
  return { ...parts, ratio };
}
