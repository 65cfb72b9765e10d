import type { Position } from "./checkpoint.js";
import type { Reading } from "./meter.js";

/** What a training tells a few times a second. */
export interface StepReport extends Reading {
  /** From 0. */
  epoch: number;
  /** Steps of this epoch that are done. */
  step: number;
  imagesPerSecond: number;
}

/** The results of one epoch. */
export interface EpochReport extends Reading {
  /** From 0. */
  epoch: number;
  /** The rate of the epoch's last step. */
  learningRate: number;
  /** Seconds of training, over all sittings that worked at the epoch; validation is not included. */
  seconds: number;
  imagesPerSecond: number;
  /** Loss and accuracy on images held out of training, where an observer has evaluated them. */
  validation?: { loss: number; top1: number };
}

/**
 * Something that follows a training: a log, a checkpoint, a progress line, an evaluation. Observers are told in their
 * order, and training waits for each; one may add to an epoch's report for those after it.
 */
export interface TrainingObserver {
  /** Told a few times a second, between two steps. */
  onStep?(report: StepReport): void;
  /** Told after each epoch; `next` is the beginning of the next one. */
  onEpoch?(report: EpochReport, next: Position): Promise<void> | void;
  /** Told when the training is stopped within an epoch; `position` is where it would go on. */
  onStop?(position: Position): Promise<void> | void;
}
