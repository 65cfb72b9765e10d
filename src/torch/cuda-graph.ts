import { type NativeCuda, nativeCuda } from "./native.js";
import type { Device } from "./types.js";

/** Work that is recorded once and then done again by one call. */
export interface StepGraph {
  /** Does `body` as often as it must be done before it can be recorded, once a call. */
  warmUp(body: () => void): void;
  /** Takes down what tensors do in `body`, which is not done yet. */
  record(body: () => void): void;
  /** Does what was recorded, and does not wait for it. */
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
 * What is recorded reads and writes the very memory that it was recorded with: what goes in and out must be tensors that
 * were there before and stay, and numbers of JavaScript's are those of the recording for ever. Nothing in it may wait for
 * the card or bring anything to it.
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

  /** Libraries choose and prepare what they do at first, on the stream that is recorded later. */
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
      // Gives a recording up that did not come to its end.
      this.#native.leaveGraph(this.#handle);
    }
  }
}
