// Defines a method of one's own: a student learns from labels and teacher, and pays for being surer than it.
// npx lyceum train quickstart --import ./build/examples/penalty.js --set 'student={method: modest, penalty: 0.2}'
import { defineMethod, losses } from "lyceum";

export const modest = defineMethod({
  name: "modest",
  summary: "Distillation with a penalty on top scores above the teacher's.",
  formula: "(CE + KL) / 2 + penalty · mean(max(0, p₍₁₎ - t₍₁₎))",
  terms: {
    hard: "labels (cross-entropy)",
    soft: "teacher (KL divergence)",
    excess: "top score above the teacher's",
  },
  options: (z) => ({
    penalty: z.number().min(0).max(100).default(0.1).describe("Weight of the excess of the top score."),
  }),
  teachers: (generation) => [generation - 1],
  loss: ({ logits, labels, teachers }, { penalty }) => {
    const weights = { hardWeight: 0.5, softWeight: 0.5 };
    const { loss, terms } = losses.studentLoss(logits, labels, teachers[0]!, weights);
    const [studentTop, teacherTop] = [logits, teachers[0]!].map((each) => each.softmax(1).amax([1]));
    const excess = studentTop!.sub(teacherTop!).relu().mean();
    return { loss: loss.add(excess, { alpha: penalty }), terms: { ...terms, excess } };
  },
});
