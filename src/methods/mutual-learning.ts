import { studentLoss } from "../losses/index.js";
import { defineMethod } from "./define.js";

/**
 * The method of two networks that are trained together, each taught by the labels and by the other as it is at that step
 * (Zhang et al. 2018). Both are updated from one forward pass each, where the paper's listing lets the first one answer
 * again before the second is updated.
 */
export const mutualLearning = defineMethod({
  name: "mutual-learning",
  summary:
    "Two networks are trained together, each by the labels and by the other's scores (Zhang et al. 2018, deep mutual " +
    "learning); the first is kept. Each step costs that of two networks.",
  formula: "CE + softWeight · KL(other ‖ network)",
  source: "Zhang et al. 2018 (arXiv:1706.00384)",
  terms: { hard: "labels (cross-entropy)", soft: "other network (KL divergence)" },
  options: (z) => ({
    softWeight: z.number().gt(0).max(1e6).default(1).describe("Weight of the other network."),
  }),
  peers: () => 1,
  loss: ({ logits, labels, peers }, { softWeight }) =>
    studentLoss(logits, labels, peers![0]!, { hardWeight: 1, softWeight }),
  describe: ({ softWeight }) => `labels weigh 1, another network in training ${softWeight}`,
});
