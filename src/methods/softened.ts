import { defineMethod } from "./define.js";
import { strict } from "./strict.js";

/**
 * The method of a strict patriarch whose answers are softened once it is trained, as a teacher's are in distillation (Hinton
 * et al. 2015): its scores are softmax(logits / temperature). Which class is best does not change, so that its accuracy is
 * that of the strict patriarch.
 */
export const softened = defineMethod({
  name: "softened",
  summary:
    "Cross-entropy with the labels alone; after the training the logits are divided by a temperature (Hinton et al. 2015).",
  formula: "CE; then logits / temperature",
  source: "Hinton et al. 2015 (arXiv:1503.02531)",
  terms: strict.terms,
  options: (z) => ({
    temperature: z
      .number()
      .min(0.01)
      .max(1000)
      .default(2)
      .describe(
        "Divides the weight and the bias of the layer that makes the logits, after the training: above 1 the scores are " +
          "softer. Validation during the training sees the logits as they were.",
      ),
  }),
  answerTemperature: ({ temperature }) => temperature,
  loss: (input) => strict.loss(input, {}),
  describe: ({ temperature }) => `strict, its logits divided by ${temperature} after the training`,
});
