import { confidencePenalty as penalised } from "../losses/index.js";
import { defineMethod } from "./define.js";

/** The method of a network that is rewarded for the entropy of its output (Pereyra et al. 2017). */
export const confidencePenalty = defineMethod({
  name: "confidence-penalty",
  summary: "Cross-entropy minus the weighted entropy of the output (Pereyra et al. 2017).",
  formula: "CE - weight · H(p)",
  source: "Pereyra et al. 2017 (arXiv:1701.06548), section 3",
  terms: { hard: "labels (cross-entropy)", entropy: "entropy of the output" },
  options: (z) => ({
    weight: z
      .number()
      .min(0)
      .max(100)
      .default(0.1)
      .describe("Weight of the entropy of the output, which is subtracted; 0 is strict."),
  }),
  loss: ({ logits, labels }, options) => penalised(logits, labels, options),
  describe: ({ weight }) => `confidence penalty: the entropy of the output weighs ${weight}`,
});
