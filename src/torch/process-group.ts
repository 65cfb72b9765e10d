/** c10d's process groups as the addon offers them. `src/distributed/` makes of them what others see. */
import { h, hs, wrap, wrapOptional } from "./dispatch.js";
import { type NativeDistributed, nativeDistributed } from "./native.js";
import type { Tensor } from "./tensor.js";

/** Whether this build has process groups on the CPU. */
export function hasProcessGroups(): boolean {
  return nativeDistributed() !== undefined;
}

/** Whether this build has process groups on CUDA devices. */
export function hasNccl(): boolean {
  return nativeDistributed()?.hasNccl() ?? false;
}

/** Where and as whom to join a group. */
export interface Place {
  rank: number;
  size: number;
  /** The store's address in numbers. */
  host: string;
  port: number;
  /** Whether this process holds the store. */
  holdsStore: boolean;
  /** Whether a process that is no rank holds it. */
  agentStore: boolean;
  /** Stands before all keys in the store. */
  prefix: string;
  /** The address on which Gloo listens, or else the interface. */
  address: string | { interface: string };
  /** The only address at which the store is to be reached; all of the machine's when left out. */
  storeAddress?: string;
  timeoutSeconds: number;
}

/** The numbers that the addon gives to operations and reductions. */
export const actions = { allReduce: 0, broadcast: 1, allGather: 2, barrier: 3 } as const;
export const reductions = { sum: 0, max: 1, min: 2 } as const;

/** One group. Its errors are the addon's, whose text is data (native/distributed/failure.h). */
export class NativeGroup {
  readonly #native: NativeDistributed;
  readonly #handle: number;

  private constructor(native: NativeDistributed, handle: number) {
    this.#native = native;
    this.#handle = handle;
  }

  /** Joins off the main thread. @throws Error where the build has no process groups */
  static async join(place: Place, signal?: AbortSignal): Promise<NativeGroup> {
    const native = nativeDistributed();
    if (!native) throw new Error("this build has no process groups");
    const { rank, size, host, port, holdsStore, agentStore, prefix, address, storeAddress } = place;
    const [at, through] = typeof address === "string" ? [address, ""] : ["", address.interface];
    const cancel = () => native.cancelJoining();
    signal?.addEventListener("abort", cancel);
    try {
      const handle = await native.joinGroup(
        ...([rank, size, host, port, holdsStore, agentStore, prefix, at, through] as const),
        ...([storeAddress ?? "", place.timeoutSeconds] as const),
      );
      return new NativeGroup(native, handle);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** @returns the result of allGather; undefined for the others, which write in place */
  async run(action: keyof typeof actions, tensor?: Tensor, parameter = 0): Promise<Tensor | undefined> {
    return wrapOptional(
      await this.#native.groupRun(this.#handle, actions[action], h(tensor) ?? 0, parameter),
    );
  }

  /** The same on this thread, which waits. */
  runNow(action: keyof typeof actions, tensor?: Tensor, parameter = 0): Tensor | undefined {
    return wrapOptional(this.#native.groupRunNow(this.#handle, actions[action], h(tensor) ?? 0, parameter));
  }

  /** The sum over all ranks, which can be differentiated. Waits on this thread, in the backward pass too. */
  sum(tensor: Tensor): Tensor {
    return wrap(this.#native.groupSum(this.#handle, h(tensor) ?? 0));
  }

  exchange(key: string, text: string): Promise<string[]> {
    return this.#native.groupExchange(this.#handle, key, text);
  }

  leave(): Promise<void> {
    return this.#native.groupLeave(this.#handle);
  }

  averager(parameters: readonly Tensor[], bucketBytes: number): NativeAverager {
    return new NativeAverager(
      this.#native,
      this.#native.createAverager(this.#handle, hs(parameters) as number[], bucketBytes),
    );
  }
}

const registry = new FinalizationRegistry<number>((handle) => nativeDistributed()?.disposeAverager(handle));

/** Sums the gradients of a list of parameters while backward passes run. */
export class NativeAverager {
  readonly #native: NativeDistributed;
  readonly #handle: number;

  constructor(native: NativeDistributed, handle: number) {
    this.#native = native;
    this.#handle = handle;
    registry.register(this, handle, this);
  }

  begin(notes: readonly number[]): void {
    this.#native.averagerBegin(this.#handle, notes);
  }

  /** Seconds of waiting and of running, then each rank's notes in turn. */
  finish(): Promise<number[]> {
    return this.#native.averagerFinish(this.#handle);
  }

  finishNow(): number[] {
    return this.#native.averagerFinishNow(this.#handle);
  }

  dispose(): void {
    registry.unregister(this);
    this.#native.disposeAverager(this.#handle);
  }
}
