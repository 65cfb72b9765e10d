import { crossEntropy, correlationDistillation as distances, weightedSum } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { temperatureSchema } from "./student.js";
import { fixedWeight } from "./weight.js";

/** The method of a student whose scores need only correlate with the teacher's (DIST, Huang et al. 2022). */
export const correlationDistillation = defineMethod({
  name: "correlation-distillation",
  summary:
    "Cross-entropy with the labels, and the lack of correlation with the teacher's scores, over classes and over images " +
    "(DIST, Huang et al. 2022).",
  formula: "hardWeight · CE + T² · (interWeight · (1 - ρ over classes) + intraWeight · (1 - ρ over images))",
  source: "Huang et al. 2022 (arXiv:2205.10536); defaults of their code",
  terms: {
    hard: "labels (cross-entropy)",
    inter: "teacher, over the classes of an image (1 - correlation)",
    intra: "teacher, over the images of a class (1 - correlation)",
  },
  options: (z) => ({
    hardWeight: fixedWeight(z).default(1).describe("Weight of the labels (cross-entropy)."),
    interWeight: fixedWeight(z)
      .default(1)
      .describe("Weight of the correlation over the classes of each image (the paper's beta)."),
    intraWeight: fixedWeight(z)
      .default(1)
      .describe(
        "Weight of the correlation over the images of the batch, class by class (the paper's gamma).",
      ),
    temperature: temperatureSchema(z)
      .default(1)
      .describe(
        "Divides the logits of teacher and student (the paper's tau); both distances are multiplied by its square.",
      ),
  }),
  teachers: (generation) => [generation - 1],
  wholeBatch: ({ intraWeight }) =>
    intraWeight > 0 ? "intraWeight weighs correlations over the images of a batch" : undefined,
  loss: ({ logits, labels, teachers }, { hardWeight, interWeight, intraWeight, temperature }) => {
    const hard = crossEntropy(logits, labels);
    const { inter, intra } = distances(logits, teachers[0]!, { temperature });
    const loss = weightedSum([hard, hardWeight], [inter, interWeight], [intra, intraWeight]);
    return { loss, terms: { hard, inter, intra } };
  },
  check: ({ hardWeight, interWeight, intraWeight }) =>
    hardWeight + interWeight + intraWeight === 0
      ? [{ message: "all weights are 0: there is nothing to learn from" }]
      : [],
  describe: ({ hardWeight, interWeight, intraWeight, temperature }) =>
    `labels weigh ${hardWeight}, correlation with the teacher over classes ${interWeight}, over images ${intraWeight}, ` +
    `at temperature ${temperature}`,
});
