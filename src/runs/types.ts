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
  heldOut?: { loss: number; top1: number };
  imagesPerSecond: number;
  seconds: number;
  /** ISO 8601, at the epoch's end. */
  date: string;
}

/** What a network knows of the test images. Accuracies, scores and ECE are fractions, NLL and entropy nats. */
export interface TestResult {
  top1: number;
  top5: number;
  nll: number;
  /** Expected calibration error, 15 bins. */
  ece: number;
  meanTopScore: number;
  /** Mean score of the classes ranked 2 to K. */
  meanSecondaryScore: number;
  /** Mean score of the best class, the second best, … : at most the first 10. */
  scoreByRank: number[];
  entropy: number;
  /** Fraction of images for which it and its teacher put the same class first; not for the patriarch. */
  teacherAgreement?: number;
}

/** One generation, finished. */
export interface GenerationResult {
  generation: number;
  role: Role;
  test: TestResult;
  trainSeconds: number;
  /** Path of the weights inside the run folder: for people; programs compute it from the generation's number. */
  weights: string;
}

/** The mean of several generations' softmax scores, on the test images. */
export interface EnsembleResult {
  test: { top1: number; nll: number; ece: number };
}

/** What summary.json holds. */
export interface Summary {
  /** Version of the run folder's format. */
  format: number;
  /** Version of Lyceum. */
  lyceum: string;
  title: string;
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
  generations: GenerationResult[];
  ensembles: Record<string, EnsembleResult>;
  seconds: number;
}

/** What a training tells while it goes on. */
export type ProgressEvent =
  | { type: "start"; generations: number; epochs: number; stepsPerEpoch: number; warnings: string[] }
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
