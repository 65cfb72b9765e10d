import type { OptionProblem } from "../../options.js";
import { defineSchedule, type Schedule } from "./define.js";
import { checkWarmup, warmupOption, withWarmup } from "./warmup.js";

/** The rate, multiplied by `gamma` at each of the steps `milestones`. */
export function multiStep({
  learningRate,
  milestones,
  gamma = 0.1,
}: {
  learningRate: number;
  milestones: readonly number[];
  gamma?: number;
}): Schedule {
  return (step) => learningRate * gamma ** milestones.filter((milestone) => step >= milestone).length;
}

export const multiStepSchedule = defineSchedule({
  name: "multi-step",
  summary: "Drops at milestones, after a warm-up if one is asked for.",
  options: (z) => ({
    milestones: z
      .array(z.union([z.number().gt(0).lt(1), z.int().min(1)]))
      .max(100)
      .default([0.5, 0.75])
      .describe(
        "When the rate drops: below 1 a fraction of the training, from 1 on the epochs done by then.",
      ),
    gamma: z
      .number()
      .positive()
      .max(1)
      .default(0.1)
      .describe("What the rate is multiplied by at a milestone."),
    ...warmupOption(z),
  }),
  create({ milestones, gamma, warmupEpochs }, { learningRate, epochs, stepsPerEpoch }) {
    const warmupSteps = warmupEpochs * stepsPerEpoch;
    // Milestones count from the beginning of the training, warm-up included. One step at least has the highest rate,
    // also where a milestone lies within a step of the beginning or of the warm-up's end.
    const steps = inEpochs(milestones, epochs).map((end) =>
      Math.max(1, Math.round(end * stepsPerEpoch) - warmupSteps),
    );
    return withWarmup(multiStep({ learningRate, milestones: steps, gamma }), { warmupSteps });
  },
  check: (options, training) => [...checkWarmup(options, training), ...checkMilestones(options, training)],
});

function inEpochs(milestones: readonly number[], epochs: number): number[] {
  return milestones.map((at) => (at < 1 ? at * epochs : at));
}

function checkMilestones(
  { milestones, warmupEpochs }: { milestones: readonly number[]; warmupEpochs: number },
  { epochs }: { epochs: number },
): OptionProblem[] {
  const ends = inEpochs(milestones, epochs);
  const key = "milestones";
  const given = `given ${JSON.stringify(milestones)}`;
  if (ends.some((end, i) => end >= epochs || (i > 0 && end <= ends[i - 1]!))) {
    const hint = "below 1 they are shares of the epochs: --set schedule.milestones=[0.5,0.75]";
    return [{ key, message: `must grow and stay below the ${epochs} epochs, ${given}; ${hint}` }];
  }
  if (warmupEpochs > 0 && ends.some((end) => end <= warmupEpochs)) {
    const hint = "the rate first grows to its highest, and drops later";
    return [{ key, message: `must lie after the ${warmupEpochs} epochs of warm-up, ${given}; ${hint}` }];
  }
  return [];
}
