import { hasSgd, sgdInPlace } from "../../nn/cpu/index.js";
import { kernels } from "../../nn/index.js";
import type * as torch from "../../torch/index.js";
import { listsOf, type Update } from "./update.js";

/** Whether Lyceum's own operator can do an update: on the CPU, in float32. */
export function kernelCan({ ready }: Update): boolean {
  const fits = ({ device, dtype }: torch.Tensor) => device === "cpu" && dtype === "float32";
  return kernels() !== "libtorch" && hasSgd() && ready.every(({ parameter }) => fits(parameter));
}

/** SGD in one pass over memory. */
export function kernelUpdate(update: Update, learningRate: number): void {
  const { momentum, nesterov } = update;
  for (const { parameters, gradients, velocities, weightDecay } of listsOf(update)) {
    sgdInPlace(parameters, gradients, velocities, { learningRate, momentum, weightDecay, nesterov });
  }
}
