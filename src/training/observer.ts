import type { Position } from "./checkpoint.js";
import type { Reading } from "./meter.js";

/** A report that a training makes a few times a second: the means over the images since the report before. */
export interface StepReport extends Reading {
  /** The number of the epoch, from 0. */
  epoch: number;
  /** The number of steps done in this epoch. */
  step: number;
  /** The pace, averaged over the last few seconds. */
  imagesPerSecond: number;
}

/** The results of one epoch: the means over all of its images. */
export interface EpochReport extends Reading {
  /** The number of the epoch, from 0. */
  epoch: number;
  /** The learning rate of the epoch's last step. */
  learningRate: number;
  /** Seconds of training, without validation, summed over all processes that worked at the epoch. */
  seconds: number;
  imagesPerSecond: number;
  /**
   * The mean loss and the accuracy on images held out of training, and the mean score of the best class, of the second best, …,
   * once an observer has evaluated them.
   */
  validation?: { loss: number; top1: number; scoreByRank?: number[] };
}

/** A step that was left out. */
export interface SkippedStep {
  /** The number of the epoch, from 0. */
  epoch: number;
  /** The number of the step in it, from 1. */
  step: number;
  /** What was not finite. */
  what: "loss" | "gradients";
  /** How many steps were left out so far, this one included. */
  skipped: number;
}

/**
 * An object that follows a training: a log, a checkpoint, a progress line, a validation. Observers are called
 * in the order of their list, and training waits for each. An observer may add to an epoch's report for those
 * after it.
 */
export interface TrainingObserver {
  /** Called a few times a second, between two steps. */
  onStep?(report: StepReport): void;
  /** Asked after each step but an epoch's last; where it is so, `onDue` is called. */
  isDue?(): boolean;
  /** Called between two steps of an epoch; `position` is where the training stands. */
  onDue?(position: Position): void;
  /** Called after a step that was left out, since its loss or gradients were not finite. */
  onSkip?(skip: SkippedStep): void;
  /** Called after each epoch; `next` is the position at the beginning of the next one. */
  onEpoch?(report: EpochReport, next: Position): Promise<void> | void;
  /** Called when the training is stopped; `position` is where it can go on. */
  onStop?(position: Position): Promise<void> | void;
}
