import type { Parameter } from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import type { Ready } from "../base-optimizer.js";

/** One update of all parameters that have a gradient. */
export interface Update {
  ready: readonly Ready[];
  /** The velocities of the parameters that were updated before; the update adds those that are missing. */
  velocities: Map<Parameter, torch.Tensor>;
  undecayed: ReadonlySet<Parameter>;
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
}

/** The lists that one call of an operator takes, of the same length; without momentum there are no velocities. */
export interface Lists {
  parameters: Parameter[];
  gradients: torch.Tensor[];
  velocities: torch.Tensor[];
  weightDecay: number;
}

/** The update's lists, one of the parameters that decay and one of those that do not; empty ones are left out. */
export function listsOf({ ready, velocities, undecayed, momentum, weightDecay }: Update): Lists[] {
  const free = ready.filter(({ parameter }) => undecayed.has(parameter));
  const decaying = ready.filter(({ parameter }) => !undecayed.has(parameter));
  const velocityOf = (parameter: Parameter) => {
    // The first velocity must be the first gradient, and momentum · 0 + gradient is that.
    const velocity = velocities.get(parameter) ?? torch.keep(torch.zerosLike(parameter));
    velocities.set(parameter, velocity);
    return velocity;
  };
  return [
    { chosen: decaying, weightDecay },
    { chosen: free, weightDecay: 0 },
  ].flatMap(({ chosen, weightDecay }) => {
    const parameters = chosen.map(({ parameter }) => parameter);
    const gradients = chosen.map(({ gradient }) => gradient);
    const velocities = momentum > 0 ? parameters.map(velocityOf) : [];
    return chosen.length > 0 ? [{ parameters, gradients, velocities, weightDecay }] : [];
  });
}
