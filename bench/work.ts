/** What a measurement is given and what it must give back. */
import type { torch, training } from "lyceum";
import type { Peer } from "./peer.js";
import type { Load } from "./roofline/load.js";
import type { Spread } from "./sampling.js";

export interface Context {
  /** The PyTorch processes that could be started and are asked for. */
  peers: Peer[];
  /** TensorFlow.js, where it could be started and is asked for. */
  tfjs?: Peer | undefined;
  /** Where both sides compute. */
  device: torch.Device;
  /** Whether Lyceum's steps are CUDA graphs, where the build has them. */
  recorded: boolean;
  /** Names of networks to measure; all when left out. */
  models: string[] | undefined;
  /** Fewer repetitions: a look, not a result. */
  quick: boolean;
  /** Told what a work asks of the machine at least, and how long it took. */
  onLoad(load: MeasuredLoad): void;
  /** Told what loading costs a training that runs. */
  onLoading(loading: Loading): void;
}

export interface MeasuredLoad {
  work: string;
  model: string;
  precision: training.Precision;
  load: Load;
  seconds: number;
}

/** Seconds of a training step with its loading, without, and those spent waiting for a batch; medians. */
export interface Loading {
  step: number;
  sameBatch: number;
  waited: number;
  /** Of a step; noise can make it negative. */
  share: number;
}

/** One line of the table. */
export interface Row {
  work: string;
  model: string;
  peer: string;
  unit: "ns" | "s" | "MiB" | "images/s";
  /** Medians. */
  ours: number;
  theirs: number;
  /** How many times as good as the peer; above 1 Lyceum is better. */
  ratio: number;
  /** The middle half of the samples. */
  spread: { ours: Spread; theirs: Spread };
}

export interface Work {
  name: string;
  /** Whether it measures something of a card. Default: no. */
  onCards?: boolean;
  /** The networks that it can measure, where it measures any. */
  models?: readonly string[];
  /** Prints what a reader must know beside the numbers; throws when the two sides do not do the same. */
  run(context: Context): Promise<Row[]>;
}

/** Fills in medians and the ratio: more is better of rates, less of all else. */
export function row(
  parts: Pick<Row, "work" | "model" | "peer" | "unit">,
  { ours, theirs }: Row["spread"],
): Row {
  const ratio = parts.unit === "images/s" ? ours.median / theirs.median : theirs.median / ours.median;
  return { ...parts, ours: ours.median, theirs: theirs.median, ratio, spread: { ours, theirs } };
}
