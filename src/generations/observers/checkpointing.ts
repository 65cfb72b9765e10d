import {
  CheckpointWriter,
  Diverged,
  type Learner,
  NotFinite,
  type Position,
  type TrainingObserver,
} from "../../training/index.js";

export interface CheckpointingOptions {
  /** The number of epochs of the training. */
  epochs: number;
  /** Seconds from one checkpoint to the next within an epoch. */
  every: number;
  /** Gives the seconds that the generation has taken so far, summed over all processes. */
  elapsedSeconds: () => number;
}

/**
 * Makes an observer that replaces a generation's checkpoint after each epoch, every so many seconds within one, and when the
 * training is stopped. The training goes on while one is written; at its end, and at a stop, it waits. Where an epoch ends
 * while one is written, the next is made as soon as that is done.
 */
export class Checkpointing implements TrainingObserver, AsyncDisposable {
  readonly #writer: CheckpointWriter;
  readonly #learner: Learner;
  readonly #options: CheckpointingOptions;
  #last = performance.now();
  #owed = false;
  #failure: unknown;

  constructor(folder: string, learner: Learner, options: CheckpointingOptions) {
    this.#writer = new CheckpointWriter(folder);
    this.#learner = learner;
    this.#options = options;
  }

  isDue(): boolean {
    this.#complain();
    if (this.#writer.isBusy) return false;
    return this.#owed || performance.now() - this.#last >= this.#options.every * 1000;
  }

  onDue(position: Position): void {
    void this.#write(position);
  }

  async onEpoch(_: unknown, next: Position): Promise<void> {
    if (next.epoch >= this.#options.epochs) await this.onStop(next);
    else if (this.#writer.isBusy) this.#owed = true;
    else void this.#write(next);
    this.#complain();
  }

  async onStop(position: Position): Promise<void> {
    await this.#writer.done();
    await this.#write(position);
    this.#complain();
  }

  /** Waits for the checkpoint that is being written, whatever becomes of it. */
  async settled(): Promise<void> {
    await this.#writer.done();
    this.#failure = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }

  /** Writes a checkpoint; the promise never rejects, since nobody may be waiting for it. */
  async #write(position: Position): Promise<void> {
    this.#last = performance.now();
    this.#owed = false;
    try {
      await this.#writer.write(this.#learner, {
        ...position,
        elapsedSeconds: this.#options.elapsedSeconds(),
      });
    } catch (error) {
      this.#failure ??= error instanceof NotFinite ? diverged(error, position) : error;
    }
  }

  /** @throws Error of the last checkpoint, where it could not be written */
  #complain(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

function diverged({ tensor }: NotFinite, { epoch, step }: Position): Diverged {
  const place = step > 0 ? `at or before step ${step} of epoch ${epoch + 1}` : `in epoch ${epoch}`;
  return new Diverged(
    `${tensor.replace("model.", "")} became NaN or infinite ${place}, while the loss was finite; the checkpoint before is ` +
      "kept. A lower optimizer.learningRate, a few schedule.warmupEpochs, or clipNorm usually mends it",
  );
}
