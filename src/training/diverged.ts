import type { Reading } from "./meter.js";

/** The error of a training whose loss became NaN or infinite, which no later step can mend. */
export class Diverged extends Error {
  override name = "Diverged";
}

/**
 * Checks that the loss is finite.
 *
 * @param epoch the number of the epoch, from 0
 * @param step the number of steps done in it
 * @throws Diverged when the loss is not finite
 */
export function checkFinite({ loss }: Reading, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new Diverged(
    `the loss became ${loss} in epoch ${epoch + 1}, at or before step ${step}: a lower optimizer.learningRate, ` +
      "a few schedule.warmupEpochs, or optimizer.clipNorm usually mends it",
  );
}
