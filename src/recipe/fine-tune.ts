/** The recipe's `fineTune`: the patriarch begins with the weights of a file, and its layers learn at rates of their own. */
import {
  completeWeights,
  type WeightsOptions,
  weightsInWords,
  weightsProblems,
  weightsShape,
} from "../methods/weights-options.js";
import type { Z } from "../packages.js";

/** How the patriarch is fine-tuned. */
export interface FineTune extends WeightsOptions {
  /** By how much the learning rate of the classifier is higher than that of the layer before it. */
  readonly headRate: number;
  /** What is left of the learning rate from each part of the network to the part before it. */
  readonly decay: number;
}

/** Makes the schema of `fineTune`. */
export function fineTuneSchema(z: Z) {
  return z
    .strictObject({
      ...weightsShape(z),
      headRate: z
        .number()
        .positive()
        .max(10_000)
        .default(10)
        .describe("The learning rate of the classifier, as a multiple of the schedule's."),
      decay: z
        .number()
        .positive()
        .max(1)
        .default(1)
        .describe(
          "What is left of the schedule's learning rate from one part of the network to the part before it: the part before " +
            "the classifier has the rate itself, the one before that decay times the rate, and so on. Parts are the layers " +
            "and stages that stand side by side in the network, a batch norm being one with what stands before it.",
        ),
    })
    .describe(
      "Begin the patriarch with the weights of a file, and train them on by its method. Where its classifier is for other " +
        "classes it begins anew, and the output says so. Students begin with fresh weights, as ever. Default: the patriarch " +
        "begins with fresh weights too.",
    );
}

/**
 * Finds what in `fineTune` does not fit together, by the path of the key in it.
 *
 * @param fineTune as it was written, where its own schema has found a fault
 */
export function fineTuneProblems(
  fineTune: Partial<FineTune> | undefined,
): { path: string[]; message: string }[] {
  if (typeof fineTune !== "object" || fineTune === null) return [];
  return weightsProblems(fineTune as WeightsOptions).map(({ key, message }) => ({
    path: key === undefined ? [] : [key],
    message,
  }));
}

/** Fills in the file's path and its SHA-256. */
export const completeFineTune = (fineTune: FineTune): FineTune => completeWeights(fineTune);

/** Says in words with what the patriarch begins. */
export function fineTuneInWords(fineTune: FineTune): string {
  const { headRate, decay } = fineTune;
  const lower = decay === 1 ? "" : `, each part before the last at ${decay} of the rate of the one after it`;
  return `begins with ${weightsInWords(fineTune)}; its classifier learns at ${headRate} times the rate${lower}`;
}
