import { studentLoss } from "../losses/index.js";
import { defineMethod } from "./define.js";

/**
 * The method of a student that learns from the generation before it (Yang et al. 2019; loss of Hinton et al.
 * 2015).
 */
export const distillation = defineMethod({
  name: "distillation",
  summary: "Cross-entropy with the labels, and the divergence from the generation before (Yang et al. 2019).",
  formula: "hardWeight · CE + softWeight · T² · KL(teacher ‖ student)",
  terms: { hard: "labels (cross-entropy)", soft: "teacher (KL divergence)" },
  options: (z) => {
    const weight = z.number().min(0).max(1e6);
    return {
      hardWeight: weight.default(0.5).describe("Weight of the labels (cross-entropy)."),
      softWeight: weight
        .default(0.5)
        .describe("Weight of the teacher (Kullback-Leibler divergence from its scores)."),
      temperature: z
        .number()
        .min(0.01)
        .max(1000)
        .default(1)
        .describe(
          "Divides the logits of teacher and student, which softens their scores; the KL term is multiplied by its square.",
        ),
    };
  },
  teachers: (generation) => [generation - 1],
  loss: ({ logits, labels, teachers }, options) => studentLoss(logits, labels, teachers[0]!, options),
  check: ({ hardWeight, softWeight }) =>
    hardWeight + softWeight === 0
      ? [{ message: "hardWeight and softWeight are both 0: there is nothing to learn from" }]
      : [],
  describe: ({ hardWeight, softWeight, temperature }) =>
    `labels weigh ${hardWeight}, the teacher ${softWeight}, at temperature ${temperature}`,
});
