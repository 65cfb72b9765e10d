import type { Loader } from "../data/index.js";
import type { Schedule } from "../optim/index.js";
import type { StepGraph } from "../torch/index.js";
import type { Position } from "./checkpoint.js";
import { checkFinite } from "./diverged.js";
import { Meter } from "./meter.js";
import { nextTurn } from "./next-turn.js";
import type { EpochReport, TrainingObserver } from "./observer.js";
import { Pace } from "./pace.js";
import type { Learner } from "./step.js";
import { type Stepper, stepperFor } from "./stepper.js";

export interface TrainNetworkOptions {
  loader: Loader;
  epochs: number;
  /** Learning rate by step, counted over the whole training from 0. */
  schedule: Schedule;
  /** Where to go on. Default: the beginning. */
  position?: Position | undefined;
  /** Records the step, so that it is done again by one call. Disposed at the end. Default: steps one by one. */
  graph?: StepGraph | undefined;
  /** Aborting finishes the step under way. */
  signal?: AbortSignal | undefined;
  observers?: readonly TrainingObserver[];
  /** Seconds between step reports. Default: 0.5. */
  reportEvery?: number;
}

/** Where every training begins. */
export const beginning: Position = {
  epoch: 0,
  step: 0,
  meter: { names: [], sums: [], images: 0 },
  seconds: 0,
  epochSeconds: 0,
  elapsedSeconds: 0,
};

/**
 * Trains one network from `position` to its last epoch.
 *
 * @returns where it stands: at the end, or, when aborted, after the step that was under way
 * @throws Diverged when the loss is no longer finite
 */
export async function trainNetwork(learner: Learner, options: TrainNetworkOptions): Promise<Position> {
  const { epochs, position: start = beginning, observers = [], signal } = options;
  using meter = new Meter();
  using stepper = stepperFor(learner, meter, options.graph);
  learner.model.train();
  let position = start;
  while (position.epoch < epochs && !(signal?.aborted && position !== start)) {
    const end = await trainEpoch(learner, stepper, meter, position, options);
    if (end.step < options.loader.stepsPerEpoch) {
      for (const observer of observers) await observer.onStop?.(end);
      return end;
    }
    const report = reportOf(learner, meter, end);
    position = { ...beginning, epoch: end.epoch + 1, seconds: end.seconds };
    for (const observer of observers) await observer.onEpoch?.(report, position);
  }
  return position;
}

/** Trains to the end of an epoch, or to where it is stopped: then the position is not the epoch's last. */
async function trainEpoch(
  learner: Learner,
  stepper: Stepper,
  meter: Meter,
  start: Position,
  { loader, epochs, schedule, observers = [], signal, reportEvery = 0.5 }: TrainNetworkOptions,
): Promise<Position> {
  const { epoch } = start;
  const { stepsPerEpoch } = loader;
  const pace = new Pace();
  const started = performance.now();
  meter.restore(start.meter);
  pace.restart(start.meter);

  for await (const batch of loader.epoch(epoch, { startStep: start.step })) {
    const stepsDone = epoch * stepsPerEpoch + batch.step;
    learner.optimizer.learningRate = checkedRate(schedule(stepsDone), stepsDone);
    learner.objective.progress = stepsDone / (epochs * stepsPerEpoch);
    try {
      stepper.step(batch);
    } finally {
      batch.dispose();
    }
    learner.averaged?.update();
    const step = batch.step + 1;
    if (pace.isDue(reportEvery)) {
      const report = { ...pace.measure(meter), epoch, step };
      checkFinite(report, epoch, step);
      for (const observer of observers) observer.onStep?.(report);
    }
    await nextTurn();
    if (signal?.aborted && step < stepsPerEpoch) return positionAt(step);
  }
  return positionAt(stepsPerEpoch);

  function positionAt(step: number): Position {
    // Read first, since reading waits until all that was asked of the device is done.
    const state = meter.state();
    checkFinite(meter.read(), epoch, step);
    const passed = (performance.now() - started) / 1000;
    return {
      epoch,
      step,
      meter: state,
      seconds: start.seconds + passed,
      epochSeconds: start.epochSeconds + passed,
      elapsedSeconds: start.elapsedSeconds,
    };
  }
}

/** @throws RangeError when a schedule gives no rate for a step */
function checkedRate(rate: number, step: number): number {
  if (Number.isFinite(rate) && rate >= 0) return rate;
  throw new RangeError(`the learning rate of step ${step} must be a number of 0 or more, got ${rate}`);
}

function reportOf({ optimizer }: Learner, meter: Meter, { epoch, epochSeconds }: Position): EpochReport {
  const means = meter.read();
  return {
    ...means,
    epoch,
    learningRate: optimizer.learningRate,
    seconds: epochSeconds,
    imagesPerSecond: means.images / epochSeconds,
  };
}
