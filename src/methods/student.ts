/** What methods of students share that learn from the labels and from a divergence from teachers. */
import { crossEntropy, weightedSum } from "../losses/index.js";
import type { OptionProblem, Z } from "../options.js";
import type { Tensor } from "../torch/index.js";
import type { Losses, LossInput, Place } from "./define.js";
import { mayChange, settled, type Weight, weight, weightAt, weightInWords } from "./weight.js";

/** The weights of the labels and of the teacher. */
export interface Weights {
  hardWeight: Weight;
  softWeight: Weight;
}

/** Makes the schemas of the two weights and of the temperature. */
export const studentOptions = (z: Z) => ({
  hardWeight: weight(z).default(0.5).describe(`Weight of the labels (cross-entropy). ${mayChange}`),
  softWeight: weight(z)
    .default(0.5)
    .describe(`Weight of the teacher (Kullback-Leibler divergence from its scores). ${mayChange}`),
  temperature: temperature(z),
});

/** Makes the schema of a temperature for teacher and student. */
export const temperature = (z: Z) =>
  temperatureSchema(z)
    .default(1)
    .describe(
      "Divides the logits of teacher and student, which softens their scores; the KL term is multiplied by its square.",
    );

/** Makes the schema of any temperature, without a default. */
export const temperatureSchema = (z: Z) => z.number().min(0.01).max(1000);

/** Gives the options with the weights of one generation. */
export const weightsAt = <O extends Weights>(options: O, place: Place): O => ({
  ...options,
  hardWeight: weightAt(options.hardWeight, place),
  softWeight: weightAt(options.softWeight, place),
});

/** Gives the two weights as numbers, as a loss takes them. */
export const settledWeights = ({ hardWeight, softWeight }: Weights) => ({
  hardWeight: settled(hardWeight),
  softWeight: settled(softWeight),
});

/** Computes a student's loss from its divergence from the teachers. */
export function labelsAndTeacher(
  { logits, labels }: Pick<LossInput, "logits" | "labels">,
  weights: Weights,
  soft: Tensor,
): Losses {
  const { hardWeight, softWeight } = settledWeights(weights);
  const hard = crossEntropy(logits, labels);
  return { loss: weightedSum([hard, hardWeight], [soft, softWeight]), terms: { hard, soft } };
}

/** Finds that a student has nothing to learn from. */
export const checkWeights = ({ hardWeight, softWeight }: Weights): OptionProblem[] =>
  hardWeight === 0 && softWeight === 0
    ? [{ message: "hardWeight and softWeight are both 0: there is nothing to learn from" }]
    : [];

/** Puts the options that students share into words. */
export const studentInWords = (
  { hardWeight, softWeight, temperature }: Weights & { temperature: number },
  teacher = "the teacher",
): string =>
  `labels weigh ${weightInWords(hardWeight)}, ${teacher} ${weightInWords(softWeight)}, at temperature ${temperature}`;
