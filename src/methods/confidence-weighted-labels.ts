import { confidenceWeightedCrossEntropy } from "../losses/index.js";
import { defineMethod } from "./define.js";

/**
 * The control CWTM of born-again networks (Furlanello et al. 2018): a student learns from the labels, and from its teacher
 * only how much each image counts.
 */
export const confidenceWeightedLabels = defineMethod({
  name: "confidence-weighted-labels",
  summary:
    "Cross-entropy with the labels, each image weighted by the teacher's highest score: a control (CWTM, Furlanello et al. " +
    "2018).",
  formula: "mean of t₍₁₎ / mean(t₍₁₎) · CE of the image, t the teacher's scores",
  source: "Furlanello et al. 2018 (arXiv:1805.04770), equation 10",
  terms: { hard: "labels (cross-entropy, weighted by the teacher's confidence)" },
  teachers: (generation) => [generation - 1],
  wholeBatch: () => "an image's weight is relative to those of the other images of its batch",
  loss: ({ logits, labels, teachers }) => {
    const hard = confidenceWeightedCrossEntropy(logits, labels, teachers[0]!);
    return { loss: hard, terms: { hard } };
  },
  describe: () => "labels, each image weighted by the teacher's highest score",
});
