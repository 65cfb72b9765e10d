import { defineMethod } from "lyceum";

/** Cross-entropy with labels of which all classes get a share: a patriarch that is a little tolerant. */
export const gentleLabels = defineMethod({
  name: "gentle-labels",
  summary: "Cross-entropy, and a share of it to every class.",
  formula: "(1 - share) · CE + share · CE(uniform)",
  terms: { hard: "labels (cross-entropy)", even: "all classes alike (cross-entropy)" },
  options: (z) => ({
    share: z.number().min(0).lt(1).default(0.1).describe("What all classes together get, each the same."),
  }),
  loss: ({ logits, labels }, { share }) => {
    const logProbabilities = logits.logSoftmax(1);
    const hard = logProbabilities.gather(1, labels.unsqueeze(1)).mean().neg();
    const even = logProbabilities.mean().neg();
    return { loss: hard.mul(1 - share).add(even, { alpha: share }), terms: { hard, even } };
  },
});
