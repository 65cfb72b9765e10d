import type { ProcessGroup } from "../distributed/index.js";
import * as torch from "../torch/index.js";
import { type Learner, networksOf } from "./step.js";

/** The processes that train a network together, as one of them sees them. */
export class Ranks {
  readonly group: ProcessGroup;
  readonly #asked: AbortSignal | undefined;
  readonly #agreed = new AbortController();
  #exchanges = 0;

  /** @param asked asks this process to stop; the others then stop with it */
  constructor(group: ProcessGroup, asked?: AbortSignal) {
    this.group = group;
    this.#asked = asked;
  }

  get rank(): number {
    return this.group.rank;
  }

  /** The number of processes. */
  get size(): number {
    return this.group.size;
  }

  /** Whether this process is the one that writes and tells. */
  get isFirst(): boolean {
    return this.group.rank === 0;
  }

  /** Whether this process was asked to stop. */
  get isAskedToStop(): boolean {
    return this.#asked?.aborted ?? false;
  }

  /** Aborts between the same two steps in all processes, once one of them was asked to stop. */
  get signal(): AbortSignal {
    return this.#agreed.signal;
  }

  /** To be called by all processes between the same two steps. */
  stop(): void {
    this.#agreed.abort();
  }

  /** Gives the texts of all processes, in the order of ranks. To be called by all. */
  async exchange(what: string, text: string): Promise<string[]> {
    return await this.group.exchange(`${what} ${this.#exchanges++}`, text);
  }

  /**
   * Lets the first process decide something from which all go on.
   *
   * @param decide is called in the first process alone; what it gives is sent as JSON
   * @throws what it throws; in the other processes an Error with the same message
   */
  async decide<T>(what: string, decide: () => Promise<T> | T): Promise<T> {
    let failure: unknown;
    const decided = this.isFirst
      ? await (async () => decide())().then(
          (value) => ({ value }),
          (error: unknown) => {
            failure = error;
            return { failed: error instanceof Error ? error.message : String(error) };
          },
        )
      : {};
    const [told] = await this.exchange(what, JSON.stringify(decided));
    if (failure !== undefined) throw failure;
    const { value, failed } = JSON.parse(told!) as { value: T; failed?: string };
    if (failed !== undefined) throw new Error(`rank 0: ${failed}`);
    return value;
  }

  /**
   * Gives all processes the statistics that the first one keeps beside its weights, such as those of batch norm: each
   * process keeps those of its own images, and those of the first one count.
   */
  async shareStatistics(learner: Learner): Promise<void> {
    for (const { model } of networksOf(learner))
      for (const buffer of model.namedBuffers().values()) await this.group.broadcast(buffer);
    const { averaged, model } = learner;
    if (!averaged) return;
    const averages = torch.scope(() => {
      const weights = averaged.weights();
      return [...model.namedBuffers()]
        .filter(([, buffer]) => buffer.dtype.includes("float"))
        .map(([name]) => torch.keep(weights[name]!));
    });
    for (const average of averages) {
      await this.group.broadcast(average);
      average.dispose();
    }
  }
}
