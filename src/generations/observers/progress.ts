import type { ProgressEvent } from "../../runs/index.js";
import type { TrainingObserver } from "../../training/index.js";
import { type GenerationFields, recordOf } from "./metrics-log.js";

/** A listener to the events of a training. */
export type OnProgress = (event: ProgressEvent) => void;

/** The size of a line from the generation in training on, from which follows how much of it is left. */
export interface Extent {
  /** The epochs of the generation in training. */
  epochs: number;
  /** The epochs of each generation after it. */
  epochsLater: readonly number[];
  stepsPerEpoch: number;
  imagesPerEpoch: number;
}

/**
 * Makes an observer that tells a listener of steps and epochs, and of the seconds that the whole line will
 * still take.
 */
export function progress(tell: OnProgress, fields: GenerationFields, extent: Extent): TrainingObserver {
  const { generation } = fields;
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
    onSkip: ({ epoch, step, what, skipped }) =>
      tell({
        type: "note",
        generation,
        message: `epoch ${epoch + 1}, step ${step}: left out, since its ${what === "loss" ? "loss is" : "gradients are"} not finite (${skipped} so far)`,
      }),
    onEpoch: (report) => tell({ type: "epoch", record: recordOf(fields, report) }),
  };
}

/**
 * The cost of a student's step, where that of a patriarch is 1. Forward and backward together cost about as
 * much as three forward passes, and the teacher adds one more.
 */
const studentCost = 4 / 3;

/** Estimates the seconds until the whole line is trained, from the current pace. */
export function secondsLeft(
  { epochs, epochsLater, stepsPerEpoch, imagesPerEpoch }: Extent,
  generation: number,
  { epoch, step, imagesPerSecond }: { epoch: number; step: number; imagesPerSecond: number },
): number {
  const epochsLeft = epochs - epoch - step / stepsPerEpoch;
  const later = epochsLater.reduce((sum, each) => sum + each, 0) * (generation === 0 ? studentCost : 1);
  return ((epochsLeft + later) * imagesPerEpoch) / imagesPerSecond;
}
