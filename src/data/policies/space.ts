import type { RandomSequence } from "../random.js";
import { type DrawnOperation, type PolicyOperation, policyOperations } from "./operations.js";

/** Height and width of an image, in pixels. */
export interface ImageExtent {
  height: number;
  width: number;
}

/** The number of the highest level; levels are counted from 0. */
export const highestLevel = 30;

/** The magnitudes of an operation by level, and whether they are negative for half of the images. */
export interface Magnitudes {
  signed: boolean;
  at(level: number, image: ImageExtent): number;
}

/** What a policy's levels mean for each operation. */
export type OperationSpace = Readonly<Record<PolicyOperation, Magnitudes>>;

/** Magnitudes in equal steps from one to another. */
const steps = (from: number, to: number) => (level: number) => from + ((to - from) * level) / highestLevel;

/** Magnitudes from 0 to `most`, of either sign. */
export const either = (most: number | ((image: ImageExtent) => number)): Magnitudes => ({
  signed: true,
  at: (level, image) => steps(0, typeof most === "number" ? most : most(image))(level),
});

/** An operation that has no magnitude. */
const none: Magnitudes = { signed: false, at: () => 0 };

/** What is the same in both policies: what needs no magnitude, bits that are dropped, values that are inverted. */
export const common = (mostBitsDropped: number) =>
  ({
    identity: none,
    posterize: { signed: false, at: (level) => 8 - Math.round((mostBitsDropped * level) / highestLevel) },
    solarize: { signed: false, at: steps(255, 0) },
    "auto-contrast": none,
    equalize: none,
  }) satisfies Partial<OperationSpace>;

/** Draws an operation, each as likely as any other, and the sign of its magnitude. */
export function drawOperation(
  space: OperationSpace,
  level: (random: RandomSequence) => number,
  random: RandomSequence,
  image: ImageExtent,
): DrawnOperation {
  const operation = policyOperations[random.below(policyOperations.length)]!;
  const { signed, at } = space[operation];
  const magnitude = at(level(random), image);
  return { operation, magnitude: signed && random.below(2) === 1 ? -magnitude : magnitude };
}
