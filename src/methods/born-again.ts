import { distillation as divergence } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { temperature } from "./student.js";

/** The method of a student that learns from its teacher alone, as in born-again networks (Furlanello et al. 2018). */
export const bornAgain = defineMethod({
  name: "born-again",
  summary: "The divergence from the generation before, without the labels (Furlanello et al. 2018).",
  formula: "T² · KL(teacher ‖ student)",
  source: "Furlanello et al. 2018 (arXiv:1805.04770)",
  terms: { soft: "teacher (KL divergence)" },
  options: (z) => ({ temperature: temperature(z) }),
  teachers: (generation) => [generation - 1],
  loss: ({ logits, teachers }, options) => {
    const soft = divergence(logits, teachers[0]!, options);
    return { loss: soft, terms: { soft } };
  },
  describe: ({ temperature }) => `the teacher alone, at temperature ${temperature}`,
});
