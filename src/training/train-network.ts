import type { Batch, Loader } from "../data/index.js";
import type { Schedule } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { BadStep } from "./bad-step.js";
import { KeptBuffers } from "./buffers.js";
import type { Position } from "./checkpoint.js";
import { diagnose } from "./diagnose.js";
import { checkFinite, Diverged, remedy } from "./diverged.js";
import { Meter } from "./meter.js";
import { nextTurn } from "./next-turn.js";
import type { EpochReport, TrainingObserver } from "./observer.js";
import { Pace } from "./pace.js";
import { type Learner, networksOf } from "./step.js";
import { type Stepper, stepperFor } from "./stepper.js";

export interface TrainNetworkOptions {
  loader: Loader;
  epochs: number;
  /** The learning rate by step, counted from 0 over the whole training. */
  schedule: Schedule;
  /**
   * How many steps may be left out whose loss or gradients are not finite, on the CPU. Default: 0, the first one ends the
   * training.
   */
  skip?: number | undefined;
  /** The position at which to go on. Default: the beginning. */
  position?: Position | undefined;
  /**
   * A graph into which a step is recorded, so that later steps are one call each; it is disposed of at the
   * end. Default: steps run operator by operator.
   */
  graph?: torch.StepGraph | undefined;
  /** Stops the training when aborted, after the current step. */
  signal?: AbortSignal | undefined;
  /** The observers of the training, in the order in which they are called. */
  observers?: readonly TrainingObserver[];
  /** Seconds between step reports. Default: 0.5. */
  reportEvery?: number;
}

/** The position at which every training begins. */
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
 * @returns the position at the end, or, when aborted, the one at which the training can go on
 * @throws Diverged when the loss is no longer finite
 */
export async function trainNetwork(learner: Learner, options: TrainNetworkOptions): Promise<Position> {
  const { epochs, position: start = beginning, observers = [], signal } = options;
  // Reading a number costs nothing on the CPU; elsewhere the meter's sums show what became of the loss, when they are read.
  if ((learner.device ?? "cpu") === "cpu") learner.check ??= "loss";
  using meter = new Meter();
  using stepper = stepperFor(learner, meter, options.graph);
  using skipping = options.skip ? skippingStepper(learner, stepper, meter) : undefined;
  for (const { model } of networksOf(learner)) model.train();
  let position = start;
  while (position.epoch < epochs && !(signal?.aborted && position !== start)) {
    const end = await trainEpoch(learner, skipping ?? stepper, meter, position, options);
    if (end.step < options.loader.stepsPerEpoch) {
      for (const observer of observers) await observer.onStop?.(end);
      return end;
    }
    await learner.ranks?.shareStatistics(learner);
    const report = reportOf(learner, meter, end);
    if (isInTail(learner, end.epoch, epochs)) learner.averaged?.update();
    if (end.epoch + 1 < epochs) learner.snapshot?.afterEpoch(learner.model, end.epoch + 1);
    position = { ...beginning, ...kept(end), epoch: end.epoch + 1, seconds: end.seconds };
    for (const observer of observers) await observer.onEpoch?.(report, position);
  }
  // A stop may fall on an epoch's end, while the checkpoint before is still being written.
  if (position.epoch < epochs) for (const observer of observers) await observer.onStop?.(position);
  return position;
}

/**
 * Trains to the end of an epoch, or until it is stopped: the returned position then has fewer steps than the
 * epoch.
 */
async function trainEpoch(
  learner: Learner,
  stepper: Stepper,
  meter: Meter,
  start: Position,
  { loader, epochs, schedule, observers = [], signal, reportEvery = 0.5, skip = 0 }: TrainNetworkOptions,
): Promise<Position> {
  const { epoch, rate: factor = 1 } = start;
  let { skipped = 0 } = start;
  const { stepsPerEpoch } = loader;
  const pace = new Pace();
  const started = performance.now();
  meter.restore(start.meter);
  pace.restart(start.meter);

  for await (const batch of loader.epoch(epoch, { startStep: start.step })) {
    const stepsDone = epoch * stepsPerEpoch + batch.step;
    const rate = checkedRate(schedule(stepsDone), stepsDone) * factor;
    for (const { optimizer } of networksOf(learner)) optimizer.learningRate = rate;
    Object.assign(learner.objective, { progress: stepsDone / (epochs * stepsPerEpoch), epoch, epochs });
    let isLeftOut = false;
    try {
      await stepper.step(batch);
    } catch (error) {
      if (!(error instanceof BadStep)) throw error;
      isLeftOut = true;
      if (++skipped > skip) throw divergedAt(error, learner, batch, epoch, skipped - 1);
      for (const observer of observers)
        observer.onSkip?.({ epoch, step: batch.step + 1, what: error.what, skipped });
    } finally {
      batch.dispose();
    }
    if (learner.averageFrom === undefined && !isLeftOut) learner.averaged?.update();
    const step = batch.step + 1;
    // After a step that was left out there may be no images since the last report.
    if (!isLeftOut && pace.isDue(reportEvery)) {
      const report = { ...pace.measure(meter), epoch, step };
      checkFinite(report, epoch, step);
      for (const observer of observers) observer.onStep?.(report);
    }
    await nextTurn();
    if (step === stepsPerEpoch) continue;
    if (signal?.aborted) return positionAt(step);
    for (const observer of observers) if (observer.isDue?.()) observer.onDue?.(positionAt(step));
  }
  return positionAt(stepsPerEpoch);

  function positionAt(step: number): Position {
    // The meter is read before the clock, since reading waits for the device to finish the steps.
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
      ...kept({ ...start, ...(skipped > 0 && { skipped }) }),
    };
  }
}

/** What a position passes on to all later ones. */
function kept({ skipped, rate }: Position): Pick<Position, "skipped" | "rate"> {
  return { ...(skipped !== undefined && { skipped }), ...(rate !== undefined && { rate }) };
}

/** Makes a stepper that leaves everything as it was before a step that throws {@link BadStep}. */
function skippingStepper(learner: Learner, stepper: Stepper, meter: Meter): Stepper {
  const buffers = torch.noGrad(() => new KeptBuffers(networksOf(learner).map(({ model }) => model)));
  learner.check = "gradients";
  return {
    step: async (batch) => {
      const before = meter.state();
      torch.noGrad(() => buffers.keep());
      try {
        await stepper.step(batch);
      } catch (error) {
        torch.noGrad(() => buffers.putBack());
        meter.restore(before);
        throw error;
      }
    },
    [Symbol.dispose]: () => buffers[Symbol.dispose](),
  };
}

function divergedAt(
  error: BadStep,
  learner: Learner,
  batch: Batch,
  epoch: number,
  skipped: number,
): Diverged {
  const [value] = Object.values(error.values);
  const place = `epoch ${epoch + 1}, at step ${batch.step + 1}`;
  const left = skipped > 0 ? `, after ${skipped} that were left out` : "";
  const found = diagnose(learner, batch, error).join("; ");
  const what = error.what === "loss" ? "the loss" : "the norm of the gradients";
  return new Diverged(`${what} became ${value} in ${place}${left}: ${found}. Usually ${remedy}`, {
    cause: error,
  });
}

/** Tells whether an epoch, counted from 0, is one after which weights are averaged; the last one is in any case. */
function isInTail({ averageFrom }: Learner, epoch: number, epochs: number): boolean {
  return averageFrom !== undefined && epoch >= Math.min(epochs - 1, Math.round(averageFrom * epochs));
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
