import type { Reading } from "./meter.js";

/** Training came to a loss that is not a number or infinite: no later step can mend that. */
export class Diverged extends Error {
  override name = "Diverged";
}

/** @throws Diverged unless the loss is finite; `epoch` counts from 0 */
export function checkFinite({ loss }: Reading, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new Diverged(
    `the loss became ${loss} in epoch ${epoch + 1}, at or before step ${step}: a lower optimizer.learningRate, ` +
      "a few schedule.warmupEpochs, or optimizer.clipNorm usually mends it",
  );
}
