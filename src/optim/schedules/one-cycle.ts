import { defineSchedule, type Schedule } from "./define.js";
import { halfCosine } from "./half-cosine.js";

/**
 * Rises along half a cosine from `startFraction` of the rate, is highest at the last step within `peakAt` of the training
 * (rounded to a whole step, where PyTorch's OneCycleLR may pass between two), and falls along another half cosine to
 * `finalFraction` at the last step (Smith and Topin 2019).
 */
export function oneCycle({
  learningRate,
  totalSteps,
  peakAt = 0.3,
  startFraction = 0.04,
  finalFraction = 0,
}: {
  learningRate: number;
  totalSteps: number;
  peakAt?: number;
  startFraction?: number;
  finalFraction?: number;
}): Schedule {
  const last = totalSteps - 1;
  const peak = Math.max(0, Math.round(peakAt * totalSteps) - 1);
  return (step) => {
    if (step <= peak)
      return halfCosine(learningRate * startFraction, learningRate, peak > 0 ? step / peak : 1);
    const progress = last > peak ? Math.min(1, (step - peak) / (last - peak)) : 1;
    return halfCosine(learningRate, learningRate * finalFraction, progress);
  };
}

export const oneCycleSchedule = defineSchedule({
  name: "one-cycle",
  summary: "Rises to the highest rate and falls again, each along half a cosine.",
  options: (z) => {
    const fraction = z.number().min(0).max(1);
    return {
      peakAt: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.3)
        .describe("Fraction of the training at which the rate is highest."),
      startFraction: fraction.default(0.04).describe("The first rate, as a fraction of the highest."),
      finalFraction: fraction.default(0).describe("The last rate, as a fraction of the highest."),
    };
  },
  create: (options, { learningRate, epochs, stepsPerEpoch }) =>
    oneCycle({ ...options, learningRate, totalSteps: epochs * stepsPerEpoch }),
});
