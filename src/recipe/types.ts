/** A recipe as people and code write it, and as it is after everything is filled in. */
import type { DatasetDefinition } from "../data/index.js";
import type { Method } from "../methods/index.js";
import type { ModelDefinition } from "../models/index.js";
import type { Kernels } from "../nn/index.js";

/** A member of a family that was chosen by name, with all of its options. */
type Chosen<Tag extends string> = { readonly [key in Tag]: string } & { readonly [option: string]: unknown };

/** An experiment with all defaults filled in: plain data, all that decides what `trainGenerations` does. */
export interface Recipe {
  readonly title?: string;
  readonly description?: string;
  readonly data: RecipeData;
  /** The network's name. */
  readonly model: string;
  /** The method of generation 0, with its options. */
  readonly patriarch: Chosen<"method">;
  /** The method of every later generation, with its options. */
  readonly student: Chosen<"method">;
  /** Networks in the line, the patriarch included. */
  readonly generations: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: Chosen<"kind"> & { readonly learningRate: number };
  /** The largest norm that all gradients together may have; undefined where they are left as they are. */
  readonly clipNorm?: number;
  readonly schedule: Chosen<"kind">;
  /** Undefined where the weights themselves are evaluated and kept. */
  readonly averageWeights?: { readonly decay: number };
  readonly augment: { readonly crop: number; readonly flip: boolean };
  readonly seed: number;
  readonly device: string;
  readonly precision: "float32" | "bfloat16" | "float16";
  readonly kernels: Kernels;
  readonly threads?: number;
}

/** Which images a recipe trains on, and which part of them. */
export interface RecipeData {
  readonly name: string;
  readonly root?: string;
  readonly limit?: { readonly train?: number; readonly test?: number };
  /** Fraction of the training images that is kept from training, to make choices on. */
  readonly heldOut: number;
  /** What the data set's definition offers. */
  readonly [option: string]: unknown;
}

/** A name, a definition, or one of the two beside options. */
type Choice<Tag extends string, Definition> =
  | string
  | Definition
  | ({ readonly [key in Tag]?: string | Definition } & { readonly [option: string]: unknown });

/** A recipe as it is written: only `data` must be given, and definitions may stand where names do. */
export interface RecipeInput {
  readonly title?: string;
  readonly description?: string;
  readonly data: Choice<"name", DatasetDefinition>;
  readonly model?: string | ModelDefinition;
  readonly patriarch?: Choice<"method", Method>;
  readonly student?: Choice<"method", Method>;
  readonly generations?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: string | { readonly kind?: string; readonly [option: string]: unknown };
  readonly clipNorm?: number;
  readonly schedule?: string | { readonly kind?: string; readonly [option: string]: unknown };
  readonly averageWeights?: { readonly decay?: number };
  readonly augment?: { readonly crop?: number; readonly flip?: boolean };
  readonly seed?: number;
  readonly device?: string;
  readonly precision?: Recipe["precision"];
  readonly kernels?: Kernels;
  readonly threads?: number;
}
