import { once } from "node:events";
import { Worker } from "node:worker_threads";
import * as torch from "../torch/index.js";
import { metadataOf, type Position, type Stateful, tensorsOf } from "./checkpoint.js";
import type { CheckpointAnswer, Failure } from "./checkpoint-thread.js";
import { type CheckpointRequest, checkpointFiles, NotFinite } from "./write-checkpoint.js";

/** The built thread: the same file for the modules in `src`, as tests load them, and for those in `dist`. */
const thread = new URL("../../dist/training/checkpoint-thread.js", import.meta.url);

/**
 * Writes checkpoints into a folder on a thread of its own, while the training goes on: a step waits only until the state
 * is copied. The two newest are kept.
 */
export class CheckpointWriter implements AsyncDisposable {
  readonly #folder: string;
  #thread: Worker | undefined;
  /** The memory of the last copy, which the next one uses again; it is away while it is written. */
  #room: ArrayBuffer | undefined;
  #underWay: Promise<void> | undefined;
  /** The names of the weights, which must be finite; those of the first learner, whose networks all have. */
  #finite: readonly string[] | undefined;

  /** @param folder the generation's checkpoint folder, which must be there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether a checkpoint is being written. */
  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  /** Waits for the checkpoint that is being written, whatever becomes of it. */
  async done(): Promise<void> {
    await this.#underWay;
  }

  /**
   * Copies a learner's state, and writes it.
   *
   * @returns a promise that resolves when the checkpoint is on the disk and was verified, and rejects with NotFinite where
   *   weights are not finite, or with the Error of the file
   * @throws Error when another one is being written
   */
  write(learner: Stateful, position: Position): Promise<void> {
    if (this.#underWay) throw new Error("a checkpoint is being written");
    const [newest] = checkpointFiles(this.#folder);
    const content = torch.scope(() =>
      torch.copyToBytes(newest, tensorsOf(learner), metadataOf(position), this.#room),
    );
    this.#finite ??= [...learner.model.namedParameters().keys()].map((name) => `model.${name}`);
    this.#room = undefined;
    const written = this.#ask({ folder: this.#folder, content, finite: this.#finite });
    this.#underWay = written.then(
      () => {},
      () => {},
    );
    return written.finally(() => {
      this.#underWay = undefined;
    });
  }

  async #ask(request: CheckpointRequest): Promise<void> {
    this.#thread ??= new Worker(thread);
    const worker = this.#thread;
    worker.postMessage(request, [request.content.data]);
    // An error of the thread itself, as when its file is missing, is thrown here.
    const [{ data, failure }] = (await once(worker, "message")) as [CheckpointAnswer];
    this.#room = data;
    if (failure) throw errorOf(failure);
  }

  /** Waits for the checkpoint under way, and ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.done();
    await this.#thread?.terminate();
    this.#thread = undefined;
  }
}

function errorOf({ message, tensor, ...fields }: Failure): Error {
  return tensor === undefined ? Object.assign(new Error(message), fields) : new NotFinite(tensor);
}
