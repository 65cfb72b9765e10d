import type { Module } from "../nn/index.js";
import type { Generator } from "../torch/index.js";

/** What decides the shape of a network, beside its architecture. */
export interface ModelOptions {
  /** How many classes it tells apart. */
  classes: number;
  /** How many channels the images have. */
  channels: number;
  /** Draws the first weights. */
  generator: Generator;
  /** Pixels of the images, for networks whose layers depend on it; those of Lyceum take any size. */
  height?: number;
  width?: number;
}

/** A network that recipes can name: how it is called, how it is built, and how to make one. */
export interface ModelDefinition<M extends Module = Module> {
  kind: "model";
  name: string;
  /** One line: what it is and whose. */
  summary: string;
  /**
   * How the network is built beyond its layers' names, in words that suffice to build it elsewhere so that its weights
   * give the same answers: shortcuts, initialisation, pooling, where ReLU stands.
   */
  construction: string;
  /** Makes one with fresh weights. */
  create(options: ModelOptions): M;
}

/** A network of one's own, by a name that recipes can give. */
export function defineModel<M extends Module>(
  definition: Omit<ModelDefinition<M>, "kind">,
): ModelDefinition<M> {
  return { kind: "model", ...definition };
}
