/** The policies by which operations are chosen for images, one file each. A new one is a file and a line in the list. */
import { zod } from "../../packages.js";
import { drawsOf, RandomSequence } from "../random.js";
import type { Policy } from "./define.js";
import { type DrawnOperation, imageOperations } from "./operations.js";
import { randaugment } from "./randaugment.js";
import type { ImageExtent } from "./space.js";
import { trivialaugment } from "./trivialaugment.js";

/** Every policy, in the order in which messages and docs list them. */
export const policies = [randaugment, trivialaugment] as readonly Policy[];

/** A policy by its name, and its options beside it; an option that is left out has its default. */
export interface PolicyChoice {
  readonly name: string;
  readonly [option: string]: unknown;
}

/**
 * Finds a policy, checks the options and fills their defaults in.
 *
 * @throws RangeError that names the key when there is no such policy, or an option does not fit
 */
export function policyOf({ name, ...given }: PolicyChoice): {
  policy: Policy;
  options: Record<string, unknown>;
} {
  const policy = policies.find((each) => each.name === name);
  if (!policy) {
    const known = policies.map((each) => each.name).join(", ");
    throw new RangeError(`there is no policy ${JSON.stringify(name)}; known: ${known}`);
  }
  const { z } = zod();
  const checked = z.strictObject(policy.options?.(z) ?? {}).safeParse(given);
  if (checked.success) return { policy, options: checked.data };
  const [issue] = checked.error.issues;
  throw new RangeError(`policy ${[name, ...issue!.path].join(".")}: ${issue!.message}`);
}

/** The operations that are applied to the images of a batch, n to each. */
export interface DrawnOperations {
  /** The codes of the operations, [B, n] row by row. */
  operations: Int32Array;
  /** [B, n] row by row */
  magnitudes: Float64Array;
  /** The number of operations for an image. */
  count: number;
}

/**
 * Draws what a policy does to each image of a batch. It depends on (seed, epoch, index) alone.
 *
 * @param indices the images' places in their set, [B]
 */
export function drawOperations(
  indices: Int32Array,
  { policy, options }: ReturnType<typeof policyOf>,
  image: ImageExtent,
  seed: number,
  epoch: number,
): DrawnOperations {
  return tableOf(
    Array.from(indices, (index) =>
      policy.draw(options, new RandomSequence(seed, epoch, index, drawsOf.policy), image),
    ),
  );
}

/**
 * Lays the operations of a batch out as the operator takes them.
 *
 * @param drawn the operations of each image, of the same number for all, [B]
 */
export function tableOf(drawn: readonly (readonly DrawnOperation[])[]): DrawnOperations {
  const all = drawn.flat();
  return {
    operations: Int32Array.from(all, ({ operation }) => imageOperations.indexOf(operation)),
    magnitudes: Float64Array.from(all, ({ magnitude }) => magnitude),
    count: drawn.length === 0 ? 0 : all.length / drawn.length,
  };
}
