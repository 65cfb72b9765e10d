import { rm } from "node:fs/promises";
import { cpus, hostname, loadavg } from "node:os";
import { type LiveProgress, MOST_POINTS, writeProgress } from "../../runs/index.js";
import type { StepReport, TrainingObserver } from "../../training/index.js";
import type { GenerationFields } from "./metrics-log.js";
import { type Extent, secondsLeft } from "./progress.js";
import { ThinnedCurve } from "./thinned-curve.js";

/** The shortest time between two writes, in milliseconds. */
const EVERY_MS = 2000;

/**
 * Keeps the file progress.json while a generation trains, for watchers in other processes. The training never waits for it, and
 * goes on where it cannot be written.
 */
export class ProgressFile implements TrainingObserver, AsyncDisposable {
  readonly #path: string;
  readonly #fields: GenerationFields;
  readonly #extent: Extent;
  #epoch = -1;
  #curve = new ThinnedCurve(MOST_POINTS);
  #last = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;

  constructor(path: string, fields: GenerationFields, extent: Extent) {
    this.#path = path;
    this.#fields = fields;
    this.#extent = extent;
  }

  onStep(report: StepReport): void {
    this.#note(report);
    if (this.#writing || performance.now() - this.#last < EVERY_MS) return;
    this.#last = performance.now();
    this.#writing = writeProgress(this.#path, this.#stateAt(report)).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Removes the file: where a training stands that nobody is at, its log and its checkpoint say. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await rm(this.#path, { force: true }).catch(() => {});
  }

  #note({ epoch, step, loss }: StepReport): void {
    if (epoch !== this.#epoch) this.#curve = new ThinnedCurve(MOST_POINTS);
    this.#epoch = epoch;
    this.#curve.add(step, loss);
  }

  #stateAt(report: StepReport): LiveProgress {
    const { epoch, step, imagesPerSecond, loss, terms, top1 } = report;
    return {
      ...this.#fields,
      epoch: epoch + 1,
      step,
      stepsPerEpoch: this.#extent.stepsPerEpoch,
      imagesPerSecond,
      secondsLeft: secondsLeft(this.#extent, this.#fields.generation, report),
      loss,
      terms,
      top1,
      curve: this.#curve.points,
      machine: {
        host: hostname(),
        load: loadavg()[0]!,
        cores: cpus().length,
        residentGiB: process.memoryUsage.rss() / 2 ** 30,
      },
      date: new Date().toISOString(),
    };
  }
}
