import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";

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

/** Lists of the same length, or no velocities where there is no momentum. */
export interface Lists {
  parameters: Parameter[];
  gradients: torch.Tensor[];
  velocities: torch.Tensor[];
  weightDecay: number;
}

/** The update's lists, of what is decayed and what is not, for operators that do an update at once. */
export function listsOf({ ready, velocities, undecayed, momentum, weightDecay }: Update): Lists[] {
  const free = ready.filter(({ parameter }) => undecayed.has(parameter));
  const decaying = ready.filter(({ parameter }) => !undecayed.has(parameter));
  const velocityOf = (parameter: Parameter) => {
    // momentum · 0 + g is the first gradient, as it shall be.
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
