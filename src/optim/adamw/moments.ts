import type { Parameter } from "../../nn/index.js";
import type { Tensor } from "../../torch/index.js";

/** AdamW's state of one parameter. */
export interface Moments {
  /** The running average of gradients, of the parameter's shape. */
  average: Tensor;
  /** The running average of their squares. */
  square: Tensor;
  /** float32 []: the steps taken. One tensor is shared by all parameters that always had their gradients together. */
  step: Tensor;
}

/** The state by PyTorch's names and the parameters' positions. */
export function stateOf(
  parameters: readonly Parameter[],
  moments: ReadonlyMap<Parameter, Moments>,
): Record<string, Tensor> {
  return Object.fromEntries(
    parameters.flatMap((parameter, i) => {
      const found = moments.get(parameter);
      if (!found) return [];
      return [
        [`exp_avg.${i}`, found.average.detach()],
        [`exp_avg_sq.${i}`, found.square.detach()],
        [`step.${i}`, found.step.detach()],
      ];
    }),
  );
}

/** A saved state of one parameter. */
interface Saved {
  average: Tensor;
  square: Tensor;
  steps: number;
}

/**
 * Reads what {@link stateOf} gave.
 *
 * @throws Error that names the tensor that fits no parameter, is missing, or is no count of steps
 */
export function readState(
  parameters: readonly Parameter[],
  state: Readonly<Record<string, Tensor>>,
): Map<Parameter, Saved> {
  const positions = Object.entries(state).map(([name, { shape }]) => {
    const [, kind, position] = /^(exp_avg|exp_avg_sq|step)\.(\d+)$/.exec(name) ?? [];
    const parameter = parameters[Number(position ?? -1)];
    if (!parameter || `${shape}` !== `${kind === "step" ? [] : parameter.shape}`) {
      throw new Error(`the optimiser's ${name} of shape [${shape.join(", ")}] fits no parameter`);
    }
    return Number(position);
  });
  const own = (name: string) => {
    const tensor = Object.hasOwn(state, name) ? state[name] : undefined;
    if (!tensor) throw new Error(`the optimiser's ${name} is missing`);
    return tensor;
  };
  return new Map(
    [...new Set(positions)].map((i) => {
      const [average, square] = [own(`exp_avg.${i}`), own(`exp_avg_sq.${i}`)];
      const steps = own(`step.${i}`).item();
      if (!(Number.isInteger(steps) && steps >= 0))
        throw new Error(`the optimiser's step.${i} is ${steps}, which is no count of steps`);
      return [parameters[i]!, { average, square, steps }];
    }),
  );
}
