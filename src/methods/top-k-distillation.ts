import { topKDistillation as divergence } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { checkWeights, labelsAndTeacher, studentInWords, studentOptions, weightsAt } from "./student.js";

/** The method of a student to whom the teacher tells its k best scores only. */
export const topKDistillation = defineMethod({
  name: "top-k-distillation",
  summary:
    "Cross-entropy with the labels, and the divergence from the teacher's k best scores, scaled to sum to 1 (Shen & Xing " +
    "2022; Tan et al. 2019).",
  formula: "hardWeight · CE + softWeight · T² · KL(teacher's k best, scaled to sum to 1 ‖ student)",
  source: "Shen & Xing 2022 (arXiv:2112.01528), marginal re-norm; Tan et al. 2019 (arXiv:1902.10461)",
  terms: { hard: "labels (cross-entropy)", soft: "teacher's k best scores (KL divergence)" },
  options: (z) => ({
    k: z
      .int()
      .min(1)
      .default(5)
      .describe("How many of its best classes the teacher tells of; at most the number of classes."),
    ...studentOptions(z),
  }),
  teachers: (generation) => [generation - 1],
  at: weightsAt,
  loss: (input, options) =>
    labelsAndTeacher(input, options, divergence(input.logits, input.teachers[0]!, options)),
  check: (options, { classes }) =>
    classes !== undefined && options.k > classes
      ? [{ key: "k", message: `must be at most ${classes}, the number of classes, given ${options.k}` }]
      : checkWeights(options),
  describe: (options) =>
    studentInWords(
      options,
      options.k === 1 ? "the teacher's best class" : `the teacher's ${options.k} best classes`,
    ),
});
