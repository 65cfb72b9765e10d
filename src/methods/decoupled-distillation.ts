import { crossEntropy, decoupledDistillation as divergences, weightedSum } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { temperatureSchema } from "./student.js";
import { fixedWeight } from "./weight.js";

/**
 * The method of a student that learns apart how sure the teacher is of the label, and how it ranks the other classes
 * (Zhao et al. 2022).
 */
export const decoupledDistillation = defineMethod({
  name: "decoupled-distillation",
  summary:
    "Cross-entropy with the labels, and decoupled distillation: the label's class and the other classes weigh apart " +
    "(DKD, Zhao et al. 2022).",
  formula: "hardWeight · CE + T² · (targetWeight · TCKD + nonTargetWeight · NCKD)",
  source: "Zhao et al. 2022 (arXiv:2203.08679), without their warm-up; defaults of their code for CIFAR-100",
  terms: {
    hard: "labels (cross-entropy)",
    target: "teacher, the label's class against all others (KL divergence)",
    nonTarget: "teacher, the other classes among themselves (KL divergence)",
  },
  options: (z) => ({
    hardWeight: fixedWeight(z).default(1).describe("Weight of the labels (cross-entropy)."),
    targetWeight: fixedWeight(z)
      .default(1)
      .describe("Weight of the divergence over the label's class against all others (the paper's alpha)."),
    nonTargetWeight: fixedWeight(z)
      .default(8)
      .describe("Weight of the divergence over the other classes among themselves (the paper's beta)."),
    temperature: temperatureSchema(z)
      .default(4)
      .describe("Divides the logits of teacher and student; both divergences are multiplied by its square."),
  }),
  teachers: (generation) => [generation - 1],
  loss: ({ logits, labels, teachers }, { hardWeight, targetWeight, nonTargetWeight, temperature }) => {
    const hard = crossEntropy(logits, labels);
    const { target, nonTarget } = divergences(logits, teachers[0]!, labels, { temperature });
    const loss = weightedSum([hard, hardWeight], [target, targetWeight], [nonTarget, nonTargetWeight]);
    return { loss, terms: { hard, target, nonTarget } };
  },
  check: ({ hardWeight, targetWeight, nonTargetWeight }) =>
    hardWeight + targetWeight + nonTargetWeight === 0
      ? [{ message: "all weights are 0: there is nothing to learn from" }]
      : [],
  describe: ({ hardWeight, targetWeight, nonTargetWeight, temperature }) =>
    `labels weigh ${hardWeight}, the teacher's score of the label's class ${targetWeight}, its other scores ` +
    `${nonTargetWeight}, at temperature ${temperature}`,
});
