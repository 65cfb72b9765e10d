import { defineSchedule, type Schedule } from "./define.js";
import { halfCosine } from "./half-cosine.js";
import { checkWarmup, warmupOption, withWarmup } from "./warmup.js";

/**
 * Falls from `learningRate` at step 0 along half a cosine to `finalFraction` of it at step `totalSteps`, the first after
 * the training, and stays there (Loshchilov and Hutter 2017, without restarts).
 */
export function cosine({
  learningRate,
  totalSteps,
  finalFraction = 0,
}: {
  learningRate: number;
  totalSteps: number;
  finalFraction?: number;
}): Schedule {
  return (step) => halfCosine(learningRate, learningRate * finalFraction, Math.min(1, step / totalSteps));
}

export const cosineSchedule = defineSchedule({
  name: "cosine",
  summary: "Falls along half a cosine, after a warm-up if one is asked for.",
  options: (z) => ({
    finalFraction: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("The last rate, as a fraction of the highest."),
    ...warmupOption(z),
  }),
  create({ finalFraction, warmupEpochs }, { learningRate, epochs, stepsPerEpoch }) {
    const totalSteps = (epochs - warmupEpochs) * stepsPerEpoch;
    return withWarmup(cosine({ learningRate, totalSteps, finalFraction }), {
      warmupSteps: warmupEpochs * stepsPerEpoch,
    });
  },
  check: checkWarmup,
});
