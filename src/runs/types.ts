import type { Evaluation } from "../analysis/index.js";
import type { Recipe } from "../recipe/index.js";

/** Generation 0 is the patriarch; all later ones are students. */
export type Role = "patriarch" | "student";

/**
 * The measurements of one epoch of one generation, which are a line of metrics.jsonl. Accuracies are
 * fractions.
 */
export interface EpochRecord {
  generation: number;
  role: Role;
  /** The number of the epoch, from 1 to `epochs`. */
  epoch: number;
  /** The number of epochs for which this generation is trained. */
  epochs: number;
  /** The learning rate of the epoch's last step. */
  learningRate: number;
  /** The mean over the epoch's images of the loss that was minimised. */
  trainLoss: number;
  /** The terms of the loss by name, unweighted, means over the epoch's images. */
  terms: Record<string, number>;
  /** The accuracy on the augmented training images, each counted when it was trained on. */
  trainTop1: number;
  /**
   * The cross-entropy, in nats, and the accuracy on the held-out images; left out where none are held out. The mean scores there of
   * the best class, of the second best, … are missing where an earlier version wrote the record.
   */
  validation?: { loss: number; top1: number; scoreByRank?: number[] };
  imagesPerSecond: number;
  /**
   * Seconds that the epoch took to train, without validation, summed over all processes that worked at it.
   */
  seconds: number;
  /** The time of the epoch's end, ISO 8601. */
  date: string;
}

/**
 * The value of each metric on the test images, by the metric's name (see docs/metrics.md). A metric is
 * missing where the run was made before the metric joined the table, and where it needs a teacher and the
 * network has none.
 */
export type TestResult = Partial<Evaluation> & Pick<Evaluation, "top1">;

/** The result of one finished generation. */
export interface GenerationResult {
  generation: number;
  role: Role;
  test: TestResult;
  /** The number of epochs for which it was trained; missing where the run was made before it was recorded. */
  epochs?: number;
  /** Seconds of training steps alone, summed over all processes that worked at the generation. */
  trainSeconds: number;
  /**
   * The path of the weights inside the run folder, for people; programs derive it from the generation's
   * number.
   */
  weights: string;
  /** How well its features serve on other images; left out where that was not tried. */
  transfer?: TransferSummary;
}

/**
 * How well classifiers do that are fitted to a network's features of other images: means over the draws of training images,
 * fractions. The last transfer of the run is the one that is told; `transfer/NAME.json` has each in full.
 */
export interface TransferSummary {
  /** The NAME of `transfer/NAME.json`. */
  name: string;
  /** Training images of each class, the largest number that was tried; null where all were taken. */
  shots: number | null;
  /** Of each classifier, such as `svmTop1`: the fraction of the test images that are right. */
  [top1: `${string}Top1`]: number;
  /** Of each classifier, such as `svmMeanClassAccuracy`: the mean over the classes. */
  [mean: `${string}MeanClassAccuracy`]: number;
}

/** The result of an ensemble of generations, whose scores are the mean of its members' scores. */
export interface EnsembleResult {
  test: TestResult;
}

/** The content of summary.json. */
export interface Summary {
  /** The version of the run folder's format. */
  format: number;
  /** The version of Lyceum that wrote the file. */
  lyceum: string;
  title: string;
  /**
   * How many of an image's best classes the metrics count as primary and secondary: the k of docs/metrics.md.
   */
  k: number;
  generations: GenerationResult[];
  /** The results of ensembles, by the first and the last generation in them: "0-1", "0-2", … */
  ensembles: Record<string, EnsembleResult>;
  /**
   * Seconds of training and evaluation of all generations, summed over all processes that worked on the run.
   */
  seconds: number;
}

/** The result of `trainGenerations`. */
export interface RunResult {
  /** The run folder; undefined when nothing was to be kept. */
  directory: string | undefined;
  recipe: Recipe;
  /** How many classes the images have. */
  classes: number;
  /**
   * How many of an image's best classes the metrics count as primary and secondary: the k of docs/metrics.md.
   */
  k: number;
  generations: GenerationResult[];
  /** The results of ensembles, by the first and the last generation in them: "0-1", "0-2", … */
  ensembles: Record<string, EnsembleResult>;
  /**
   * Seconds of training and evaluation of all generations, summed over all processes that worked on the run.
   */
  seconds: number;
}

/** An event that a training reports to its `onProgress`. */
export type ProgressEvent =
  /** Reported some times a second while a set of images is drawn: the number of images drawn, and of all. */
  | { type: "images"; done: number; total: number; doing?: string }
  | {
      type: "start";
      generations: number;
      /** The recipe's number of epochs; a method may train for another. */
      epochs: number;
      stepsPerEpoch: number;
      /** What the patriarch and the students learn from: pairs of a role and its method in words. */
      methods: [role: string, words: string][];
      warnings: string[];
      /** How the images were put together, where there is something to know of it, a sentence each. */
      notes?: readonly string[];
    }
  | { type: "generation-start"; generation: number; role: Role }
  /** Something about a generation that a person should know, such as what was left out of the weights that it begins with. */
  | { type: "note"; generation: number; message: string }
  | {
      type: "step";
      generation: number;
      /** The number of the epoch, from 1. */
      epoch: number;
      /** The number of steps done in this epoch. */
      step: number;
      stepsPerEpoch: number;
      /** The pace, averaged over the last few seconds. */
      imagesPerSecond: number;
      /**
       * The mean over the images since the event before; such an event comes a few times a second, not at
       * every step.
       */
      loss: number;
      /** The terms of the loss by name, means as `loss` is. */
      terms: Record<string, number>;
      /** An estimate of the seconds until all generations are trained. */
      secondsLeft: number;
    }
  | { type: "epoch"; record: EpochRecord }
  | { type: "generation-end"; generation: number; result: GenerationResult }
  | { type: "end"; result: RunResult }
  | { type: "interrupted"; directory: string | undefined };
