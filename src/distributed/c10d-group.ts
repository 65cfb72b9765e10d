import type { Tensor } from "../torch/index.js";
import { type NativeAverager, type NativeGroup, reductions } from "../torch/process-group.js";
import { bucketBytesFor } from "./bucket-size.js";
import { explain, type Speaker } from "./failure.js";
import type {
  AveragedRound,
  AveragerOptions,
  GradientAverager,
  ProcessGroup,
  Reduction,
} from "./process-group.js";

/** A group on c10d. */
export class C10dGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly timeoutSeconds: number;
  readonly #native: NativeGroup;
  readonly #speaker: Speaker;
  #left: Promise<void> | undefined;

  constructor(native: NativeGroup, speaker: Speaker) {
    this.#native = native;
    this.#speaker = speaker;
    this.rank = speaker.rank;
    this.size = speaker.size;
    this.timeoutSeconds = speaker.timeoutSeconds;
  }

  async allReduce(tensor: Tensor, reduction: Reduction = "sum"): Promise<void> {
    await this.#explained(() => this.#native.run("allReduce", tensor, numberOf(reduction)));
  }

  allReduceSync(tensor: Tensor, reduction: Reduction = "sum"): void {
    this.#explainedNow(() => this.#native.runNow("allReduce", tensor, numberOf(reduction)));
  }

  sum(tensor: Tensor): Tensor {
    return this.#explainedNow(() => this.#native.sum(tensor));
  }

  async broadcast(tensor: Tensor, from = 0): Promise<void> {
    await this.#explained(() => this.#native.run("broadcast", tensor, from));
  }

  async allGather(tensor: Tensor): Promise<Tensor> {
    return (await this.#explained(() => this.#native.run("allGather", tensor)))!;
  }

  async barrier(): Promise<void> {
    await this.#explained(() => this.#native.run("barrier"));
  }

  exchange(key: string, text: string): Promise<string[]> {
    return this.#explained(() => this.#native.exchange(key, text));
  }

  averager(
    parameters: readonly Tensor[],
    { bucketBytes = bucketBytesFor(this.size) }: AveragerOptions = {},
  ): GradientAverager {
    if (!(bucketBytes > 0)) throw new RangeError(`bucketBytes must be above 0, got ${bucketBytes}`);
    return new Averager(
      this.#native.averager(parameters, Math.min(Math.ceil(bucketBytes), 2 ** 40)),
      this.size,
      (error) => this.explain(error),
    );
  }

  explain(error: unknown): unknown {
    return explain(error, this.#speaker);
  }

  leave(): Promise<void> {
    this.#left ??= this.#native.leave();
    return this.#left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #explained<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw this.explain(error);
    }
  }

  #explainedNow<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.explain(error);
    }
  }
}

function numberOf(reduction: Reduction): number {
  const number = reductions[reduction];
  if (number === undefined) {
    throw new TypeError(`no reduction "${reduction}" (known: ${Object.keys(reductions).join(", ")})`);
  }
  return number;
}

class Averager implements GradientAverager {
  readonly #native: NativeAverager;
  readonly #size: number;
  readonly #explain: (error: unknown) => unknown;

  constructor(native: NativeAverager, size: number, explained: (error: unknown) => unknown) {
    this.#native = native;
    this.#size = size;
    this.#explain = explained;
  }

  begin(notes: readonly number[] = []): void {
    this.#native.begin(notes);
  }

  async finish(): Promise<AveragedRound> {
    const start = performance.now();
    try {
      return this.#round(await this.#native.finish(), start);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  finishSync(): AveragedRound {
    const start = performance.now();
    try {
      return this.#round(this.#native.finishNow(), start);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #round([waitingSeconds = 0, communicationSeconds = 0, ...notes]: number[], start: number): AveragedRound {
    const each = notes.length / this.#size;
    return {
      notes: Array.from({ length: this.#size }, (_, rank) => notes.slice(rank * each, (rank + 1) * each)),
      waitingSeconds,
      communicationSeconds,
      exposedSeconds: (performance.now() - start) / 1000,
    };
  }

  [Symbol.dispose](): void {
    this.#native.dispose();
  }
}
