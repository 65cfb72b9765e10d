import type { OptionShape, OptionsOf, Z } from "../../options.js";
import type { RandomSequence } from "../random.js";
import type { DrawnOperation } from "./operations.js";
import type { ImageExtent, OperationSpace } from "./space.js";

/** A policy: which operations are applied to the bytes of a training image, before it is cropped. */
export interface Policy<S extends OptionShape = OptionShape> {
  readonly name: string;
  /** One sentence for docs, with the source. */
  readonly summary: string;
  /** The operations that it chooses from, with their magnitudes. */
  readonly space: OperationSpace;
  /** The schemas of the options by key, with defaults and descriptions. */
  options?(this: void, z: Z): S;
  /** Draws the operations for an image, one after the other; their number depends on the options alone. */
  draw(
    this: void,
    options: OptionsOf<S>,
    random: RandomSequence,
    image: ImageExtent,
  ): readonly DrawnOperation[];
}

/** Makes a policy's definition, whose options are typed by their schemas. */
export function definePolicy<S extends OptionShape = Record<never, never>>(policy: Policy<S>): Policy<S> {
  return Object.freeze(policy);
}
