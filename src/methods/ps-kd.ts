import { crossEntropy, pastLoss } from "../losses/index.js";
import { defineMethod } from "./define.js";

/**
 * The method of a network that learns from its own answers of the epoch before, the more the longer it trains (Kim et al.
 * 2021). These are the answers of a copy of the network that was frozen at that epoch's end, for the very images that the
 * network sees.
 */
export const psKd = defineMethod({
  name: "ps-kd",
  summary:
    "Targets of which a growing share are the network's own scores of the epoch before (Kim et al. 2021, PS-KD); one forward " +
    "pass more in each step.",
  formula: "(1 - a) · CE + a · CE(scores of the epoch before), a = alpha · epoch / epochs, epochs from 1",
  source: "Kim et al. 2021 (arXiv:2006.12000)",
  terms: { hard: "labels (cross-entropy)", past: "epoch before (cross-entropy)" },
  options: (z) => ({
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.8)
      .describe(
        "The share of the epoch before in the targets of the last epoch; it grows in a line from the first on.",
      ),
  }),
  snapshot: () => true,
  loss: ({ logits, labels, snapshot, epoch, epochs }, { alpha }) => {
    if (snapshot) return pastLoss(logits, labels, snapshot, { pastWeight: (alpha * (epoch + 1)) / epochs });
    // The first epoch has none before it, and takes the labels for the scores of the past.
    const hard = crossEntropy(logits, labels);
    return { loss: hard, terms: { hard, past: hard } };
  },
  describe: ({ alpha }) =>
    `labels and the network's own scores of the epoch before, whose share grows to ${alpha}`,
});
