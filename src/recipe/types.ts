/** The types of recipes: as people and programs write them, and resolved, with all defaults filled in. */
import type {
  AugmentOptions,
  DatasetDefinition,
  EraseOptions,
  JitterOptions,
  MixOptions,
  PolicyChoice,
  ResizedCropOptions,
} from "../data/index.js";
import type { Method } from "../methods/index.js";
import type { ModelDefinition } from "../models/index.js";
import type { Kernels } from "../nn/index.js";
import type { FineTune } from "./fine-tune.js";

/**
 * A member of a family (of methods, optimisers or schedules) that was chosen by name, with all of its
 * options.
 */
type Chosen<Tag extends string> = { readonly [key in Tag]: string } & { readonly [option: string]: unknown };

/**
 * A resolved recipe: plain data with all defaults filled in, which decides everything that `trainGenerations`
 * does.
 */
export interface Recipe {
  readonly title?: string;
  readonly description?: string;
  readonly data: RecipeData;
  /** The name of the network. */
  readonly model: string;
  /** The method of generation 0, with its options. */
  readonly patriarch: Chosen<"method">;
  /** The method of every later generation, with its options. */
  readonly student: Chosen<"method">;
  /** The weights with which generation 0 begins, and the rates of its layers; undefined where all weights are fresh. */
  readonly fineTune?: FineTune;
  /** The number of networks in the line, the patriarch included. */
  readonly generations: number;
  /** Passes over the training images, for each network. */
  readonly epochs: number;
  /** Epochs from one evaluation on held-out images to the next; undefined where each epoch has one. */
  readonly validateEvery?: number;
  /** Seconds from one checkpoint to the next within an epoch; undefined where it is the default. */
  readonly checkpointEvery?: number;
  /** What is done about numbers that are not finite; undefined where the training stops. */
  readonly notFinite?: NotFinite;
  /** Images in a training step, those of all processes together; with `batchSizePerRank`, those of one process. */
  readonly batchSize: number;
  /** Images in a training step of each process, the same number as `batchSize`; undefined where that is of all together. */
  readonly batchSizePerRank?: number;
  /** Whether batch norm takes the statistics of the images of all processes; undefined where it does not. */
  readonly syncBatchNorm?: boolean;
  /** Parts in which a step's batch is computed, one after the other; undefined where it is computed at once. */
  readonly accumulate?: number;
  readonly optimizer: Chosen<"kind"> & { readonly learningRate: number };
  /**
   * The largest Euclidean norm that all gradients together may have; undefined where they are not clipped.
   */
  readonly clipNorm?: number;
  readonly schedule: Chosen<"kind">;
  /**
   * The average of the weights that is evaluated and kept: an exponential one over the steps, or the equal mean of the
   * weights after each epoch that comes after the fraction `from` of them; undefined where the weights themselves are.
   */
  readonly averageWeights?: { readonly decay: number } | { readonly from: number };
  readonly augment: Readonly<AugmentOptions>;
  readonly seed: number;
  readonly device: string;
  readonly precision: "float32" | "bfloat16" | "float16";
  readonly kernels: Kernels;
  readonly threads?: number;
}

/** What is done about a loss or gradients that are not finite. */
export interface NotFinite {
  /** Steps of a generation that may be left out. */
  readonly skip?: number;
  /** How often a generation may go back to its newest checkpoint. */
  readonly goBack?: number;
  /** What learning rates are multiplied by each time. */
  readonly rate?: number;
}

/** Which images a recipe trains on, and which part of them. */
export interface RecipeData {
  readonly name: string;
  readonly root?: string;
  readonly limit?: { readonly train?: number; readonly test?: number };
  /** The fraction of the training images that is held out of training, for validation. */
  readonly heldOut: number;
  /** The options that the data set's definition adds. */
  readonly [option: string]: unknown;
}

/**
 * A choice from a family as a recipe may write it: a name, a definition, or one of the two beside options.
 */
type Choice<Tag extends string, Definition> =
  | string
  | Definition
  | ({ readonly [key in Tag]?: string | Definition } & { readonly [option: string]: unknown });

/** A recipe as it is written. Only `data` must be given, and in code definitions may stand where names do. */
export interface RecipeInput {
  readonly title?: string;
  readonly description?: string;
  readonly data: Choice<"name", DatasetDefinition>;
  readonly model?: string | ModelDefinition;
  readonly patriarch?: Choice<"method", Method>;
  readonly student?: Choice<"method", Method>;
  readonly fineTune?: Partial<FineTune>;
  readonly generations?: number;
  readonly epochs?: number;
  readonly validateEvery?: number;
  readonly checkpointEvery?: number;
  readonly notFinite?: NotFinite;
  readonly batchSize?: number;
  readonly batchSizePerRank?: number;
  readonly syncBatchNorm?: boolean;
  readonly accumulate?: number;
  readonly optimizer?: string | { readonly kind?: string; readonly [option: string]: unknown };
  readonly clipNorm?: number;
  readonly schedule?: string | { readonly kind?: string; readonly [option: string]: unknown };
  readonly averageWeights?: { readonly decay?: number; readonly from?: number };
  readonly augment?: {
    readonly jitter?: JitterOptions;
    readonly policy?: string | PolicyChoice;
    readonly crop?: number;
    readonly flip?: boolean;
    readonly resizedCrop?: false | Partial<ResizedCropOptions>;
    readonly erase?: Partial<EraseOptions>;
    readonly mixup?: Partial<MixOptions>;
    readonly cutmix?: Partial<MixOptions>;
  };
  readonly seed?: number;
  readonly device?: string;
  readonly precision?: Recipe["precision"];
  readonly kernels?: Kernels;
  readonly threads?: number;
}
