import { rm } from "node:fs/promises";
import { cpus, hostname, loadavg } from "node:os";
import { type LiveProgress, MOST_POINTS, writeProgress } from "../../runs/index.js";
import type { EpochReport, StepReport, TrainingObserver } from "../../training/index.js";
import type { GenerationFields } from "./metrics-log.js";
import { type Extent, secondsLeft } from "./progress.js";
import { ThinnedCurve } from "./thinned-curve.js";

/** How long a disk is waited for at the end, in milliseconds. */
const PATIENCE_MS = 2000;
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
  /** Asked for once: the system opens a file for each. */
  readonly #cores = cpus().length;
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
    this.#tell(report);
  }

  /** An epoch may be too short to have told of a step. */
  onEpoch(report: EpochReport): void {
    this.#tell({ ...report, step: this.#extent.stepsPerEpoch });
  }

  #tell(report: StepReport): void {
    try {
      if (this.#writing || performance.now() - this.#last < EVERY_MS) return;
      this.#last = performance.now();
      this.#writing = writeProgress(this.#path, this.#stateAt(report)).finally(() => {
        this.#writing = undefined;
      });
    } catch {
      // What the system does not tell of itself, watchers do without; the training goes on.
    }
  }

  /**
   * Removes the file: where a training stands that nobody is at, its log and its checkpoint say. A disk that does not answer is not
   * waited for.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((done) => {
      timer = setTimeout(done, PATIENCE_MS);
    });
    const removed = (async () => {
      await this.#writing;
      await rm(this.#path, { force: true }).catch(() => {});
    })();
    await Promise.race([removed, patience]);
    clearTimeout(timer);
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
      curve: epoch === this.#epoch ? this.#curve.points : [],
      machine: {
        host: hostname(),
        load: loadavg()[0]!,
        cores: this.#cores,
        residentGiB: process.memoryUsage.rss() / 2 ** 30,
      },
      date: new Date().toISOString(),
    };
  }
}
