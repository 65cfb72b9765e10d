/** The interface of a work: what a measurement is given, and the rows that it returns. */
import type { torch, training } from "lyceum";
import type { Peer } from "./peer.js";
import type { Load } from "./roofline/load.js";
import type { Spread } from "./sampling.js";

export interface Context {
  /** The PyTorch processes that were asked for and could be started. */
  peers: Peer[];
  /** TensorFlow.js, if it was asked for and could be started. */
  tfjs?: Peer | undefined;
  /** The device on which both sides compute. */
  device: torch.Device;
  /** Whether Lyceum records its steps as CUDA graphs, where the build has them. */
  recorded: boolean;
  /** The labels of the networks to measure; all when undefined. */
  models: string[] | undefined;
  /** Whether to repeat less often, for a first look that is no result. */
  quick: boolean;
  /** Receives what a work needs of the machine at least, and the time that it took. */
  onLoad(load: MeasuredLoad): void;
  /** Receives what loading costs a training that runs. */
  onLoading(loading: Loading): void;
}

export interface MeasuredLoad {
  work: string;
  model: string;
  precision: training.Precision;
  load: Load;
  seconds: number;
}

/** Medians, in seconds: a training step with loading, one that takes the same batch again, and the wait for a batch. */
export interface Loading {
  step: number;
  sameBatch: number;
  waited: number;
  /** The fraction of a step that loading costs; noise can make it negative. */
  share: number;
}

/** One line of the table. */
export interface Row {
  work: string;
  model: string;
  peer: string;
  unit: "ns" | "s" | "MiB" | "images/s";
  /** Medians, in `unit`. */
  ours: number;
  theirs: number;
  /** How many times as good as the peer Lyceum is; above 1 Lyceum is better. */
  ratio: number;
  /** Medians and quartiles of the samples. */
  spread: { ours: Spread; theirs: Spread };
}

export interface Work {
  name: string;
  /** Whether it can be measured on a card. Default: no. */
  onCards?: boolean;
  /** The labels of the networks that it can measure; undefined when it measures no network. */
  models?: readonly string[];
  /** Measures. Prints what a reader must know beside the numbers; throws when the two sides do not compute the same. */
  run(context: Context): Promise<Row[]>;
}

/** Makes a row of two spreads. Of rates more is better, of times and sizes less. */
export function row(
  parts: Pick<Row, "work" | "model" | "peer" | "unit">,
  { ours, theirs }: Row["spread"],
): Row {
  const ratio = parts.unit === "images/s" ? ours.median / theirs.median : theirs.median / ours.median;
  return { ...parts, ours: ours.median, theirs: theirs.median, ratio, spread: { ours, theirs } };
}
