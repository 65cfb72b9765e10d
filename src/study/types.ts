/** The results of a study: arms that are compared over the same seeds. */
import type { TestResult, TransferSummary } from "../runs/index.js";

/** The images that results were measured on: those held out of training, or the test images. */
export type Part = "heldOut" | "test";

/** What can be compared: also images of another data set, by classifiers of the networks' features. */
export type ComparedPart = Part | "transfer";

/** What is known of one trained network of a study. */
export interface NetworkResult {
  /** The fingerprint of what decides the network's numbers, in hexadecimal. */
  fingerprint: string;
  generation: number;
  /** Values of the metrics on the test images; left out in a search, which never loads them. */
  test?: TestResult;
  /** Values of the metrics on the held-out images; left out where none are held out. */
  heldOut?: TestResult;
  /** How well classifiers do on its features of other images; left out where that is not compared. */
  transfer?: TransferSummary;
  /** Seconds of training steps alone. */
  trainSeconds: number;
  /**
   * Seconds of the processor, over all threads, validation included: other programs on the machine hardly change
   * them. Left out where they were not counted.
   */
  cpuSeconds?: number;
  /** The processor's kernels, libtorch and the number of threads that computed it, in words. */
  kernels: string;
  /** The machine that trained it, in words; left out where it is not known. */
  machine?: string;
  /** The version of Lyceum that trained it, and its commit where it has one. */
  software?: string;
  /** The time at which the training ended, ISO 8601. */
  date: string;
}

/** The results of an ensemble, on the same parts as those of its members. */
export type EnsembleResult = Partial<Record<Part, TestResult>>;

/** The line of one arm for one seed. */
export interface LineResult {
  seed: number;
  /** The networks by generation; undefined where one is not trained yet. */
  networks: (NetworkResult | undefined)[];
  /** The ensembles of generations 0 to m by "0-m", as far as their members are trained. */
  ensembles: Record<string, EnsembleResult>;
}

export interface ArmResult {
  /** The arm's key in the study file, such as "tolerant". */
  name: string;
  /** What the patriarch and the students learn from: pairs of a role and its method in words. */
  methods: [role: string, words: string][];
  /** The arm's place in a grid: the value of each key; left out where the arms are none. */
  at?: Record<string, string | number>;
  /** The number of networks in its line. */
  generations: number;
  /** Passes over the training images, per network. */
  epochs: number;
  /** In the order of the study's seeds. */
  lines: LineResult[];
}

export interface StudyResult {
  /** The name of the study: that of its folder. */
  name: string;
  title: string;
  description: string;
  /** The arm that the others are compared with. */
  reference: string;
  /** The arm that is claimed to end better, and its rivals; left out where the study's file claims nothing. */
  claim?: { arm: string; over?: string[] };
  seeds: number[];
  /** The part that the study's claims are about: the test images, or in a search the held-out ones. */
  part: Part;
  arms: ArmResult[];
  /** The number of networks that are trained, and of all; shared ones count once. */
  trained: { done: number; of: number };
  /** What readers must know of the results, as sentences: other processors, results that belong to no arm. */
  notes: string[];
}
