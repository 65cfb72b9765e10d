import type { Tensor } from "../torch/index.js";

/** An optimiser: it updates parameters by the gradients that `backward` left at them. */
export interface Optimizer {
  /** The rate of the next step; a schedule sets it before each. */
  learningRate: number;
  /** Whether one operator does the update and can leave a step out by itself, as `step({ foundInf })` asks. */
  readonly fused: boolean;
  /** Whether a step can be recorded as a CUDA graph and replayed with another learning rate. */
  readonly capturable: boolean;
  /** The gradients that are there, in the order of their parameters. */
  gradients(): Tensor[];
  /**
   * Brings the learning rate to the device, if it has changed. `step` does so too; the replay of a recorded step, which
   * runs no JavaScript, needs it called before.
   */
  prepare(): void;
  /** Forgets the gradients. */
  zeroGrad(): void;
  /**
   * Updates every parameter that has a gradient, and leaves the others alone.
   *
   * @param options.foundInf float32 [1]; where it is not 0, nothing is changed
   * @throws TypeError when `foundInf` is given to an optimiser that is not `fused`
   */
  step(options?: { foundInf?: Tensor }): void;
  /** All that a later step depends on, detached and sharing memory: copy what must not change. */
  stateDict(): Record<string, Tensor>;
  /**
   * Puts copies of a saved state in place of the one at hand.
   *
   * @throws Error that names the tensor that fits no parameter or is missing; nothing is changed then
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void;
  /** Frees the state; the next step starts as a first one. */
  dispose(): void;
}
