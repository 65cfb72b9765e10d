import { kernels } from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import { listsOf, type Update } from "./update.js";

let has: boolean | undefined;

/** Whether this build has Lyceum's own operator. */
function hasKernel(): boolean {
  has ??= torch.hasOperator("lyceum::sgd_");
  return has;
}

/** Whether Lyceum's own operator can do an update: on the CPU, in float32. */
export function kernelCan({ ready }: Update): boolean {
  const fits = ({ device, dtype }: torch.Tensor) => device === "cpu" && dtype === "float32";
  return kernels() !== "libtorch" && hasKernel() && ready.every(({ parameter }) => fits(parameter));
}

/** SGD in one pass over memory. */
export function kernelUpdate(update: Update, learningRate: number): void {
  const { momentum, nesterov } = update;
  for (const { parameters, gradients, velocities, weightDecay } of listsOf(update)) {
    torch.op(
      "lyceum::sgd_",
      parameters,
      gradients,
      velocities,
      learningRate,
      momentum,
      weightDecay,
      nesterov,
    );
  }
}
