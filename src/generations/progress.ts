import type { ProgressEvent } from "../runs/index.js";
import type { StepReport } from "../training/index.js";

export type OnProgress = (event: ProgressEvent) => void;

/**
 * A student's step costs about 4/3 of a patriarch's: forward and backward through the student cost about three
 * forward passes, the teacher adds one.
 */
const studentCost = 4 / 3;

/** The size of a whole line, to tell how much of it is left. */
export interface Extent {
  generations: number;
  epochs: number;
  stepsPerEpoch: number;
  imagesPerEpoch: number;
}

/** Seconds until the whole line is trained, at the pace of the moment. */
export function secondsLeft(
  extent: Extent,
  generation: number,
  { epoch, step, imagesPerSecond }: StepReport,
): number {
  const { generations, epochs, stepsPerEpoch, imagesPerEpoch } = extent;
  const epochsLeft = epochs - epoch - step / stepsPerEpoch;
  const later = (generations - 1 - generation) * epochs * (generation === 0 ? studentCost : 1);
  return ((epochsLeft + later) * imagesPerEpoch) / imagesPerSecond;
}
