import type { Evaluation } from "../analysis/index.js";
import type { Recipe } from "../recipe/index.js";

/** Generation 0 is the patriarch; all later ones are students. */
export type Role = "patriarch" | "student";

/** What one epoch of one generation came to: a line of metrics.jsonl. Accuracies are fractions. */
export interface EpochRecord {
  generation: number;
  role: Role;
  /** From 1 to `epochs`. */
  epoch: number;
  epochs: number;
  /** At the epoch's last step. */
  learningRate: number;
  /** Mean over the epoch's images; NaN where training diverged. */
  trainLoss: number;
  /** The parts of the loss, by name, unweighted. */
  terms: Record<string, number>;
  /** On the augmented images, as they were trained on. */
  trainTop1: number;
  /** The cross-entropy, in nats, and the accuracy on the held-out images; left out where none are held out. */
  validation?: { loss: number; top1: number };
  imagesPerSecond: number;
  seconds: number;
  /** ISO 8601, at the epoch's end. */
  date: string;
}

/**
 * What a network knows of the test images: the value of each metric by its name (see docs/metrics.md). A run that was made
 * before a metric joined the table lacks it, and so does whatever has no teacher, where the metric needs one.
 */
export type TestResult = Partial<Evaluation> & Pick<Evaluation, "top1">;

/** One generation, finished. */
export interface GenerationResult {
  generation: number;
  role: Role;
  test: TestResult;
  trainSeconds: number;
  /** Path of the weights inside the run folder: for people; programs compute it from the generation's number. */
  weights: string;
}

/** Several generations together, whose scores are the mean of theirs. */
export interface EnsembleResult {
  test: TestResult;
}

/** What summary.json holds. */
export interface Summary {
  /** Version of the run folder's format. */
  format: number;
  /** Version of Lyceum. */
  lyceum: string;
  title: string;
  /** How many of an image's best classes the metrics take for primary and secondary: the k of docs/metrics.md. */
  k: number;
  generations: GenerationResult[];
  /** By first and last generation: "0-1", "0-2", … */
  ensembles: Record<string, EnsembleResult>;
  /** Training and evaluation, over all sittings. */
  seconds: number;
}

/** What `trainGenerations` gives back. */
export interface RunResult {
  /** The run folder; undefined when nothing was to be kept. */
  directory: string | undefined;
  recipe: Recipe;
  /** How many classes the images have. */
  classes: number;
  /** How many of an image's best classes the metrics take for primary and secondary: the k of docs/metrics.md. */
  k: number;
  generations: GenerationResult[];
  /** By first and last generation: "0-1", "0-2", … */
  ensembles: Record<string, EnsembleResult>;
  seconds: number;
}

/** What a training tells while it goes on. */
export type ProgressEvent =
  /** While a set of images is drawn: how many of them are done. */
  | { type: "images"; done: number; total: number }
  | {
      type: "start";
      generations: number;
      epochs: number;
      stepsPerEpoch: number;
      /** What the patriarch and the students learn from, each with its role. */
      methods: [role: string, words: string][];
      warnings: string[];
    }
  | { type: "generation-start"; generation: number; role: Role }
  | {
      type: "step";
      generation: number;
      /** From 1. */
      epoch: number;
      /** Steps done in this epoch. */
      step: number;
      stepsPerEpoch: number;
      imagesPerSecond: number;
      /** Smoothed, and read a few times a second only. */
      loss: number;
      terms: Record<string, number>;
      /** Until the whole line is trained. */
      secondsLeft: number;
    }
  | { type: "epoch"; record: EpochRecord }
  | { type: "generation-end"; generation: number; result: GenerationResult }
  | { type: "end"; result: RunResult }
  | { type: "interrupted"; directory: string | undefined };
