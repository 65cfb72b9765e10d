import { defineMethod } from "./define.js";
import { strict } from "./strict.js";

/** The number of epochs that are a fraction of the recipe's, at least one. */
const shortened = (fraction: number, epochs: number) => Math.max(1, Math.round(fraction * epochs));

/**
 * The method of a strict patriarch whose training is short, so that it has not yet given all score to the labels (Cho and
 * Hariharan 2019).
 *
 * By default the learning rate goes through its whole schedule in the epochs that are left. So the fraction alone says
 * how far the training has come, and the network ends at a low rate, as every other patriarch. A schedule that is cut
 * leaves the network at whatever rate stands at that place, which for a schedule with milestones is the highest: what
 * softens the answers then is as much the noise of large steps as the short training, and the network is worse than it
 * need be.
 */
export const earlyStopped = defineMethod({
  name: "early-stopped",
  summary: "Cross-entropy with the labels alone, for a fraction of the epochs (Cho and Hariharan 2019).",
  formula: "CE",
  source: "Cho & Hariharan 2019 (arXiv:1910.01348)",
  terms: strict.terms,
  options: (z) => ({
    fraction: z
      .number()
      .gt(0)
      .max(1)
      .default(0.3)
      .describe(
        "The fraction of the recipe's epochs for which the network is trained, rounded to whole epochs.",
      ),
    schedule: z
      .enum(["compressed", "cut"])
      .default("compressed")
      .describe(
        "compressed: the learning rate goes through its whole schedule in these epochs; cut: it goes as far as it would " +
          "have come in them.",
      ),
  }),
  epochs: ({ fraction }, epochs) => shortened(fraction, epochs),
  scheduleAt: (epoch, { fraction, schedule }, epochs) =>
    schedule === "cut" ? epoch : (epoch * epochs) / shortened(fraction, epochs),
  loss: (input) => strict.loss(input, {}),
  describe: ({ fraction, schedule }) =>
    `strict for ${Number((100 * fraction).toPrecision(4))} % of the epochs, the schedule ${schedule}`,
});
