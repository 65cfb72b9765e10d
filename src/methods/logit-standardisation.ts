import { standardisedDistillation } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { checkWeights, labelsAndTeacher, studentInWords, temperatureSchema } from "./student.js";
import { fixedWeight } from "./weight.js";

/** The method of a student that learns the teacher's logits up to their scale and shift (Sun et al. 2024). */
export const logitStandardisation = defineMethod({
  name: "logit-standardisation",
  summary:
    "Cross-entropy with the labels, and the divergence from the teacher after the logits of both were standardised, image " +
    "by image (Sun et al. 2024).",
  formula: "hardWeight · CE + softWeight · T² · KL(teacher ‖ student) of (logits - mean) / deviation",
  source: "Sun et al. 2024 (arXiv:2403.01427); defaults of their code for CIFAR-100",
  terms: { hard: "labels (cross-entropy)", soft: "teacher (KL divergence of standardised logits)" },
  options: (z) => ({
    hardWeight: fixedWeight(z).default(1).describe("Weight of the labels (cross-entropy)."),
    softWeight: fixedWeight(z)
      .default(9)
      .describe("Weight of the teacher (Kullback-Leibler divergence from its scores)."),
    temperature: temperatureSchema(z)
      .default(2)
      .describe(
        "The base temperature, which divides the standardised logits of both; the KL term is multiplied by its square.",
      ),
  }),
  teachers: (generation) => [generation - 1],
  loss: (input, options) =>
    labelsAndTeacher(input, options, standardisedDistillation(input.logits, input.teachers[0]!, options)),
  check: (options) => checkWeights(options),
  describe: (options) => studentInWords(options, "the teacher's standardised logits"),
});
