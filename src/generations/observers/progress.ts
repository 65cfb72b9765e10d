import type { ProgressEvent } from "../../runs/index.js";
import type { TrainingObserver } from "../../training/index.js";
import { recordOf, type Whose } from "./metrics-log.js";

export type OnProgress = (event: ProgressEvent) => void;

/** The size of a whole line, to tell how much of it is left. */
export interface Extent {
  generations: number;
  epochs: number;
  stepsPerEpoch: number;
  imagesPerEpoch: number;
}

/** Tells a listener of steps and epochs, and how long the whole line will still take. */
export function progress(tell: OnProgress, whose: Whose, extent: Extent): TrainingObserver {
  const { generation } = whose;
  const { stepsPerEpoch } = extent;
  return {
    onStep: (report) => {
      const { epoch, step, imagesPerSecond, loss, terms } = report;
      const left = secondsLeft(extent, generation, report);
      tell({
        type: "step",
        generation,
        epoch: epoch + 1,
        step,
        stepsPerEpoch,
        imagesPerSecond,
        loss,
        terms,
        secondsLeft: left,
      });
    },
    onEpoch: (report) => tell({ type: "epoch", record: recordOf(whose, report) }),
  };
}

/**
 * A student's step costs about 4/3 of a patriarch's: forward and backward through the student cost about three
 * forward passes, the teacher adds one.
 */
const studentCost = 4 / 3;

/** Seconds until the whole line is trained, at the pace of the moment. */
function secondsLeft(
  { generations, epochs, stepsPerEpoch, imagesPerEpoch }: Extent,
  generation: number,
  { epoch, step, imagesPerSecond }: { epoch: number; step: number; imagesPerSecond: number },
): number {
  const epochsLeft = epochs - epoch - step / stepsPerEpoch;
  const later = (generations - 1 - generation) * epochs * (generation === 0 ? studentCost : 1);
  return ((epochsLeft + later) * imagesPerEpoch) / imagesPerSecond;
}
