import type { Parameter } from "../nn/index.js";
import type * as torch from "../torch/index.js";

/** One update of all parameters that have a gradient. */
export interface Update {
  ready: readonly { parameter: Parameter; gradient: torch.Tensor }[];
  /** Of each parameter that was updated before; the update adds those that are missing. */
  velocities: Map<Parameter, torch.Tensor>;
  undecayed: ReadonlySet<Parameter>;
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
}
