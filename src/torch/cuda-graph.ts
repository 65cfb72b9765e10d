import { type NativeCuda, nativeCuda } from "./native.js";
import type { Device } from "./types.js";

/** Work on a device that is recorded once and then done again by one call. */
export interface StepGraph {
  /** Runs `body` once, before the recording; to be called as often as the work must be done before it can be recorded. */
  warmUp(body: () => void): void;
  /** Runs `body` and records what its operators do instead of doing it. */
  record(body: () => void): void;
  /** Starts what was recorded, and does not wait for its end. */
  replay(): void;
  dispose(): void;
}

/** Whether this build can make a {@link CudaGraph}. */
export function hasCudaGraphs(): boolean {
  return nativeCuda() !== undefined;
}

const registry = new FinalizationRegistry<number>((handle) => nativeCuda()?.disposeGraph(handle));

/**
 * A CUDA graph. A step on a card is hundreds of small kernels, and starting them one by one takes longer than they run.
 *
 * A replay reads and writes the very memory of the recording: what goes in and out must be tensors that were there
 * before and stay, and JavaScript's numbers keep the values that they had. Nothing in the body may wait for the
 * card or copy anything to it.
 */
export class CudaGraph implements StepGraph {
  readonly #native: NativeCuda;
  #handle: number;

  /** @throws Error when the build has none, or the device is not there */
  constructor(device: Device) {
    const cuda = nativeCuda();
    if (!cuda) {
      throw new Error(
        "this build has no CUDA graphs: they are compiled where libtorch has CUDA and CUDA's headers are found " +
          "(CUDA_HOME names their folder; then run ./setup again)",
      );
    }
    this.#native = cuda;
    this.#handle = cuda.createGraph(device);
    registry.register(this, this.#handle, this);
  }

  /** Runs `body` on the stream that is recorded later: libraries choose and prepare at first what they do. */
  warmUp(body: () => void): void {
    this.#onItsStream(body);
  }

  /** @throws Error that names what could not be recorded */
  record(body: () => void): void {
    this.#onItsStream(() => {
      this.#native.beginRecording(this.#handle);
      body();
      this.#native.endRecording(this.#handle);
    });
  }

  replay(): void {
    this.#native.replayGraph(this.#handle);
  }

  dispose(): void {
    if (this.#handle === 0) return;
    registry.unregister(this);
    this.#native.disposeGraph(this.#handle);
    this.#handle = 0;
  }

  #onItsStream(body: () => void): void {
    this.#native.enterGraph(this.#handle);
    try {
      body();
    } finally {
      // This also gives up a recording that did not come to its end.
      this.#native.leaveGraph(this.#handle);
    }
  }
}
