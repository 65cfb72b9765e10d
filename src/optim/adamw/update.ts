import type { Parameter } from "../../nn/index.js";
import type { Tensor } from "../../torch/index.js";
import type { Ready } from "../base-optimizer.js";
import type { Moments } from "./moments.js";

/** One update of parameters that took as many steps before. */
export interface Update {
  ready: readonly Ready[];
  /** One for each of `ready`. */
  moments: readonly Moments[];
  /** float32 []: the steps taken before, which the update counts on. */
  step: Tensor;
  undecayed: ReadonlySet<Parameter>;
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
}
