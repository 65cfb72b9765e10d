import { labelSmoothing as smoothed } from "../losses/index.js";
import { defineMethod } from "./define.js";

/** The method of a network whose targets give every class a little score (Szegedy et al. 2016). */
export const labelSmoothing = defineMethod({
  name: "label-smoothing",
  summary:
    "Cross-entropy with smoothed labels: each target gives every class the same small score (Szegedy et al. 2016).",
  formula: "(1 - epsilon) · CE + epsilon · CE(uniform)",
  source: "Szegedy et al. 2016 (arXiv:1512.00567), section 7",
  terms: { hard: "labels (cross-entropy)", smooth: "uniform targets (cross-entropy)" },
  options: (z) => ({
    epsilon: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe(
        "The part of each target that is shared equally among all C classes: the label's own target is 1 - epsilon + epsilon / C.",
      ),
  }),
  loss: ({ logits, labels }, options) => smoothed(logits, labels, options),
  describe: ({ epsilon }) => `smoothed labels: all classes share ${epsilon} of each target`,
});
