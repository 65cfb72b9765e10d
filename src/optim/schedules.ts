/** Learning rates as pure functions of the step, counted from 0 over the whole training. */
export type Schedule = (step: number) => number;

interface Common {
  /** The highest rate. */
  learningRate: number;
  /** Steps of the whole training. */
  totalSteps: number;
}

/** Multiplied by `gamma` at each of the steps `milestones`. */
export function multiStep({
  learningRate,
  milestones,
  gamma = 0.1,
}: Pick<Common, "learningRate"> & { milestones: readonly number[]; gamma?: number }): Schedule {
  return (step) => learningRate * gamma ** milestones.filter((milestone) => step >= milestone).length;
}

/** From `from` at 0 to `to` at 1 along half a cosine. */
function halfCosine(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Falls along half a cosine to `finalFraction` of the rate (Loshchilov and Hutter 2017, without restarts). */
export function cosine({
  learningRate,
  totalSteps,
  finalFraction = 0,
}: Common & { finalFraction?: number }): Schedule {
  return (step) => halfCosine(learningRate, learningRate * finalFraction, Math.min(1, step / totalSteps));
}

/** Rises along half a cosine until `peakAt` of the training, then falls along another (Smith and Topin 2019). */
export function oneCycle({
  learningRate,
  totalSteps,
  peakAt = 0.3,
  startFraction = 0.04,
  finalFraction = 0,
}: Common & { peakAt?: number; startFraction?: number; finalFraction?: number }): Schedule {
  const last = totalSteps - 1;
  const peak = peakAt * totalSteps - 1;
  return (step) => {
    if (step <= peak)
      return halfCosine(learningRate * startFraction, learningRate, peak > 0 ? step / peak : 1);
    const progress = last > peak ? Math.min(1, (step - peak) / (last - peak)) : 1;
    return halfCosine(learningRate, learningRate * finalFraction, progress);
  };
}

/** Grows in a line over the first steps, from one part in `warmupSteps` of the rate, and then follows `schedule`. */
export function withWarmup(schedule: Schedule, { warmupSteps }: { warmupSteps: number }): Schedule {
  return (step) => schedule(step) * Math.min(1, warmupSteps > 0 ? (step + 1) / warmupSteps : 1);
}
