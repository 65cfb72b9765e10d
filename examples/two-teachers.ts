// Defines a method of one's own: a student learns from the two generations before it.
// npx lyceum train quickstart --import ./build/examples/two-teachers.js --set student=two-teachers
import { defineMethod, losses } from "lyceum";

export const twoTeachers = defineMethod({
  name: "two-teachers",
  summary: "Cross-entropy, and the divergence from each of the two generations before.",
  formula: "hardWeight · CE + (1 - hardWeight) · mean over teachers of KL(teacher ‖ student)",
  terms: { hard: "labels (cross-entropy)", soft: "teachers (KL divergence, mean)" },
  options: (z) => ({
    hardWeight: z.number().min(0).max(1).default(0.5).describe("Weight of the labels (cross-entropy)."),
  }),
  // The first student has only one earlier generation, the patriarch.
  teachers: (generation) => [generation - 1, generation - 2].filter((teacher) => teacher >= 0),
  loss: ({ logits, labels, teachers }, { hardWeight }) => {
    const hard = losses.crossEntropy(logits, labels);
    const soft = teachers
      .map((teacher) => losses.distillation(logits, teacher))
      .reduce((sum, divergence) => sum.add(divergence))
      .div(teachers.length);
    return { loss: hard.mul(hardWeight).add(soft, { alpha: 1 - hardWeight }), terms: { hard, soft } };
  },
});
