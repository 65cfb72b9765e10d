import { wrap } from "./dispatch.js";
import { native } from "./native.js";
import type { Tensor } from "./tensor.js";
import type { Device } from "./types.js";

const registry = new FinalizationRegistry<number>((handle) => native.disposeGenerator(handle));

/** A seeded stream of random numbers whose state can be saved. */
export class Generator {
  /** @internal */
  readonly generatorHandle: number;

  /**
   * @param seed a whole number from 0 to 2^53 - 1
   * @throws Error when the device is not there, TypeError when the seed is out of range
   */
  constructor(seed = 0, device: Device = "cpu") {
    this.generatorHandle = native.createGenerator(device);
    registry.register(this, this.generatorHandle);
    this.seed(seed);
  }

  /** Starts the stream again from `seed`. @throws TypeError when the seed is out of range */
  seed(seed: number): this {
    native.seedGenerator(this.generatorHandle, seed);
    return this;
  }

  /** A copy of the whole state, a uint8 tensor of shape [bytes]. */
  state(): Tensor {
    return wrap(native.generatorState(this.generatorHandle));
  }

  /** Takes a state over. @throws Error when `state` is not what {@link Generator.state} gave */
  setState(state: Tensor): this {
    native.setGeneratorState(this.generatorHandle, state.handle);
    return this;
  }
}
