import * as torch from "../../torch/index.js";
import { once } from "./build.js";

/** Whether this build updates parameters by an operator of its own. */
export const hasSgd = once(() => torch.hasOperator("lyceum::sgd_"));

export interface SgdStep {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/**
 * Takes a step of stochastic gradient descent in one pass over memory, on the CPU in float32.
 *
 * @param parameters written to, as are `velocities`, one each, or none where there is no momentum
 */
export function sgdInPlace(
  parameters: readonly torch.Tensor[],
  gradients: readonly torch.Tensor[],
  velocities: readonly torch.Tensor[],
  { learningRate, momentum, weightDecay, nesterov }: SgdStep,
): void {
  torch.op("lyceum::sgd_", parameters, gradients, velocities, learningRate, momentum, weightDecay, nesterov);
}
