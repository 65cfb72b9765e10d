import { crossEntropy } from "../losses/index.js";
import { defineMethod } from "./define.js";

/** The method by which a network is usually trained: it learns from the labels alone. */
export const strict = defineMethod({
  name: "strict",
  summary: "Cross-entropy with the labels alone.",
  formula: "CE",
  terms: { hard: "labels (cross-entropy)" },
  loss: ({ logits, labels }) => {
    const hard = crossEntropy(logits, labels);
    return { loss: hard, terms: { hard } };
  },
  describe: () => "strict: cross-entropy alone",
});
