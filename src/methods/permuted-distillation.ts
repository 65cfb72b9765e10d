import { permutedDistillation as divergence, drawOrder } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { checkWeights, labelsAndTeacher, studentInWords, temperature } from "./student.js";
import { fixedWeight } from "./weight.js";

/**
 * The control DKPP of born-again networks (Furlanello et al. 2018): a student learns from a teacher whose scores, but for
 * the best one, belong to the wrong classes.
 *
 * The orders are drawn anew in each step, from a seed that follows from the progress of the training alone, so that they
 * are the same on every device and after a resume. An image has another place in its batch in each epoch, and with it
 * another order. Because it depends on the progress, the method trains without CUDA graphs.
 */
export const permutedDistillation = defineMethod({
  name: "permuted-distillation",
  summary:
    "The divergence from a teacher whose scores, all but the best, are permuted anew for each image in each step: a control " +
    "(DKPP, Furlanello et al. 2018).",
  formula: "hardWeight · CE + softWeight · T² · KL(permuted teacher ‖ student)",
  source: "Furlanello et al. 2018 (arXiv:1805.04770), equation 11",
  terms: { hard: "labels (cross-entropy)", soft: "permuted teacher (KL divergence)" },
  options: (z) => ({
    hardWeight: fixedWeight(z)
      .default(0)
      .describe("Weight of the labels (cross-entropy); the paper's control learns from the teacher alone."),
    softWeight: fixedWeight(z)
      .default(1)
      .describe("Weight of the teacher (Kullback-Leibler divergence from its permuted scores)."),
    temperature: temperature(z),
  }),
  teachers: (generation) => [generation - 1],
  loss: (input, options) => {
    const { logits, teachers, progress, part } = input;
    const [rows, classes] = logits.shape as [number, number];
    // Steps lie further apart than 2^-32 of a training.
    const seed = Math.floor(progress * 2 ** 32);
    const drawn = drawOrder(part?.of ?? rows, classes - 1, { seed, device: logits.device });
    const order = part ? drawn.narrow(0, part.start, rows) : drawn;
    const soft = divergence(logits, teachers[0]!, { order, temperature: options.temperature });
    return labelsAndTeacher(input, options, soft);
  },
  check: (options) => checkWeights(options),
  describe: (options) => studentInWords(options, "the teacher with permuted scores"),
});
