import { crossEntropy, snapshotLoss } from "../losses/index.js";
import { defineMethod } from "./define.js";

/** The epochs, of `epochs`, at which cycle c of `cycles` begins; cycle `cycles` would begin at the training's end. */
const beginOf = (cycle: number, cycles: number, epochs: number) => Math.round((cycle * epochs) / cycles);

/**
 * The method of a network that is trained in cycles of the learning rate; its last state in a cycle teaches it in the next
 * one (Yang et al. 2019, "Snapshot Distillation").
 */
export const snapshotDistillation = defineMethod({
  name: "snapshot-distillation",
  summary:
    "Trains in cycles, each of which goes through the recipe's whole schedule; the network at the end of a cycle teaches it " +
    "in the next one (Yang et al. 2019, snapshot distillation). `schedule: cosine` makes it a cosine that begins anew with " +
    "each cycle; one forward pass more in each step after the first cycle.",
  formula:
    "CE in the first cycle; then hardWeight · CE + softWeight · S² · KL(snapshot at temperature T ‖ network at temperature S)",
  source: "Yang et al. 2019 (arXiv:1812.00123)",
  terms: { hard: "labels (cross-entropy)", soft: "last cycle (KL divergence)" },
  options: (z) => {
    const weight = z.number().min(0).max(1e6);
    const temperature = z.number().min(0.01).max(1000);
    return {
      cycles: z
        .int()
        .min(2)
        .max(100)
        .default(2)
        .describe("How many cycles there are; they are as long as each other."),
      hardWeight: weight.default(0.5).describe("Weight of the labels from the second cycle on."),
      softWeight: weight.default(0.5).describe("Weight of the snapshot from the second cycle on."),
      teacherTemperature: temperature
        .default(2)
        .describe("T, which divides the snapshot's logits and so softens its scores."),
      studentTemperature: temperature
        .default(1)
        .describe("S, which divides the logits of the network in the comparison with the snapshot."),
    };
  },
  snapshot: (epoch, { cycles }, epochs) =>
    Array.from({ length: cycles - 1 }, (_, i) => beginOf(i + 1, cycles, epochs)).includes(epoch),
  scheduleAt: (epoch, { cycles }, epochs) => {
    const begins = Array.from({ length: cycles + 1 }, (_, cycle) => beginOf(cycle, cycles, epochs));
    const next = begins.findIndex((begin) => begin > epoch);
    const [begin, end] = [begins[next - 1]!, begins[next]!];
    return ((epoch - begin) / (end - begin)) * epochs;
  },
  loss: ({ logits, labels, snapshot }, { cycles, ...weights }) => {
    if (snapshot) return snapshotLoss(logits, labels, snapshot, weights);
    const hard = crossEntropy(logits, labels);
    return { loss: hard, terms: { hard, soft: hard.detach().mul(0) } };
  },
  check: ({ hardWeight, softWeight }) =>
    hardWeight + softWeight === 0
      ? [{ message: "hardWeight and softWeight are both 0: there is nothing to learn from" }]
      : [],
  describe: ({ cycles, hardWeight, softWeight, teacherTemperature, studentTemperature }) =>
    `${cycles} cycles; from the second on labels weigh ${hardWeight}, the end of the last cycle ${softWeight}, at temperatures ` +
    `${teacherTemperature} (snapshot) and ${studentTemperature} (network)`,
});
