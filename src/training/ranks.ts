import { assertAllEqual, type ProcessGroup } from "../distributed/index.js";
import * as torch from "../torch/index.js";
import { type Learner, networksOf } from "./step.js";

/** How many texts were exchanged in a group: their keys may not be used twice in it. */
const exchanges = new WeakMap<ProcessGroup, number>();

/** Gives a name that has not been used in the group. All processes ask for the same names in the same order. */
function unusedName(group: ProcessGroup, what: string): string {
  const count = exchanges.get(group) ?? 0;
  exchanges.set(group, count + 1);
  return `${what} ${count}`;
}

/** The processes that train a network together, as one of them sees them. */
export class Ranks {
  readonly group: ProcessGroup;
  readonly #asked: AbortSignal | undefined;
  readonly #agreed = new AbortController();

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
    return await this.group.exchange(unusedName(this.group, what), text);
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
            const { message, name } = error instanceof Error ? error : new Error(String(error));
            return { failed: { message, name } };
          },
        )
      : {};
    const [told] = await this.exchange(what, JSON.stringify(decided));
    if (failure !== undefined) throw failure;
    const { value, failed } = JSON.parse(told!) as { value: T; failed?: { message: string; name: string } };
    if (failed) throw Object.assign(new Error(`rank 0: ${failed.message}`), { name: failed.name });
    return value;
  }

  /**
   * Makes something in the first process, and then in all others, for what leaves files behind that the others find.
   *
   * @throws as {@link decide}
   */
  async firstAlone<T>(what: string, make: () => Promise<T>): Promise<T> {
    let made: { value: T } | undefined;
    await this.decide(what, async () => {
      made = { value: await make() };
      return null;
    });
    return made ? made.value : await make();
  }

  /**
   * Checks that all processes have the same of something that decides what they train.
   *
   * @param facts by what they are facts of, in words
   * @throws RanksDiffer in all processes, which names the facts and the ranks that have others than the first
   */
  async mustAgree(what: string, facts: Readonly<Record<string, string>>): Promise<void> {
    await assertAllEqual(this.group, facts, unusedName(this.group, what));
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
