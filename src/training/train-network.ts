import type { Loader } from "../data/index.js";
import type { Schedule } from "../optim/index.js";
import type { StepGraph } from "../torch/index.js";
import type { Position } from "./checkpoint.js";
import { between, Meter, type MeterState, type Reading } from "./meter.js";
import { nextTurn } from "./next-turn.js";
import type { Learner } from "./step.js";
import { type Stepper, stepperFor } from "./stepper.js";

/** What a training tells a few times a second. */
export interface StepReport extends Reading {
  /** From 0. */
  epoch: number;
  /** Steps done of the epoch. */
  step: number;
  imagesPerSecond: number;
}

/** What an epoch came to. */
export interface EpochReport extends Reading {
  /** From 0. */
  epoch: number;
  /** At the last step. */
  learningRate: number;
  seconds: number;
  imagesPerSecond: number;
}

export interface TrainNetworkOptions {
  loader: Loader;
  epochs: number;
  /** Learning rate by step, counted from the first of all. */
  schedule: Schedule;
  /** Where to go on; the beginning when left out. */
  position?: Position | undefined;
  /** Records the step, so that it is done again by one call. Disposed at the end. Default: steps one by one. */
  graph?: StepGraph | undefined;
  /** Aborting finishes the step. */
  signal?: AbortSignal | undefined;
  onStep?: (report: StepReport) => void;
  /** Called after each epoch; the position is the beginning of the next. */
  onEpoch?: (report: EpochReport, position: Position) => Promise<void> | void;
  /** Seconds between step reports. */
  reportEvery?: number;
}

/** Training came to a loss that is no number: no later step can mend that. */
export class Diverged extends Error {
  override name = "Diverged";
}

const beginning: Position = {
  epoch: 0,
  step: 0,
  meter: { names: [], sums: [], images: 0 },
  seconds: 0,
  epochSeconds: 0,
};

/** Seconds over which the pace is smoothed: one slow step is no news. */
const paceWindow = 5;

/** The means since the last report, and the pace of the last few seconds. Reads the meter, which waits for the device. */
class Pace {
  private since = performance.now();
  private last: MeterState | undefined;
  private images = 0;
  private seconds = 0;

  due(every: number): boolean {
    return performance.now() - this.since >= every * 1000;
  }

  measure(meter: Meter): Reading & { imagesPerSecond: number } {
    const state = meter.state();
    const means = between(this.last, state);
    const passed = (performance.now() - this.since) / 1000;
    const kept = Math.exp(-passed / paceWindow);
    this.images = this.images * kept + means.images;
    this.seconds = this.seconds * kept + passed;
    this.restart(state);
    return { ...means, imagesPerSecond: this.images / this.seconds };
  }

  restart(state: MeterState): void {
    this.since = performance.now();
    this.last = state;
  }
}

function checkFinite({ loss }: Reading, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new Diverged(
    `the loss became ${loss} in epoch ${epoch + 1}, at or before step ${step}: a lower optimizer.learningRate, ` +
      "or a few schedule.warmupEpochs, usually mends it",
  );
}

/**
 * Trains one network from `position` to its last epoch.
 *
 * @returns where it stands: at the end, or, when aborted, after the step that was under way
 * @throws Diverged when the loss is no longer finite
 */
export async function trainNetwork(learner: Learner, options: TrainNetworkOptions): Promise<Position> {
  const meter = new Meter();
  const stepper = stepperFor(learner, meter, options.graph);
  try {
    return await trainEpochs(learner, meter, stepper, options);
  } finally {
    stepper.dispose();
    meter.reset();
  }
}

async function trainEpochs(
  learner: Learner,
  meter: Meter,
  stepper: Stepper,
  options: TrainNetworkOptions,
): Promise<Position> {
  const { loader, epochs, schedule, signal, reportEvery = 0.5 } = options;
  let position = options.position ?? beginning;
  const pace = new Pace();
  learner.model.train();

  while (position.epoch < epochs) {
    const { epoch } = position;
    meter.restore(position.meter);
    pace.restart(position.meter);
    const started = performance.now();
    const here = (step: number): Position => {
      // First, since it waits until all that was asked for is done.
      const meterState = meter.state();
      const passed = (performance.now() - started) / 1000;
      return {
        epoch,
        step,
        meter: meterState,
        seconds: position.seconds + passed,
        epochSeconds: position.epochSeconds + passed,
      };
    };

    for await (const batch of loader.epoch(epoch, { startStep: position.step })) {
      learner.optimizer.learningRate = schedule(epoch * loader.stepsPerEpoch + batch.step);
      stepper.step(batch);
      batch.dispose();
      const step = batch.step + 1;
      if (pace.due(reportEvery)) {
        const report = pace.measure(meter);
        checkFinite(report, epoch, step);
        options.onStep?.({ ...report, epoch, step });
      }
      await nextTurn();
      if (signal?.aborted && step < loader.stepsPerEpoch) {
        // So that nobody saves what cannot go on.
        checkFinite(meter.read(), epoch, step);
        return here(step);
      }
    }

    const end = here(loader.stepsPerEpoch);
    const means = meter.read();
    checkFinite(means, epoch, loader.stepsPerEpoch);
    position = { ...beginning, epoch: epoch + 1, seconds: end.seconds };
    await options.onEpoch?.(
      {
        ...means,
        epoch,
        learningRate: learner.optimizer.learningRate,
        seconds: end.epochSeconds,
        imagesPerSecond: means.images / end.epochSeconds,
      },
      position,
    );
    if (signal?.aborted) return position;
  }
  return position;
}
