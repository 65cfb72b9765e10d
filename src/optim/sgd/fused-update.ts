import * as torch from "../../torch/index.js";
import { listsOf, type Update } from "./update.js";

const name = "aten::_fused_sgd_.tensor_lr";

let has: boolean | undefined;

/** Whether libtorch has SGD in one operator: on CUDA since 2.3, on the CPU since 2.4. */
export function hasFusedUpdate(): boolean {
  has ??= torch.hasOperator(name);
  return has;
}

/**
 * SGD in one pass over memory. The learning rate is a tensor on the device, so that a captured step takes a new one.
 *
 * @param learningRate float32 [1]
 * @param foundInf float32 [1]: where it is not 0, nothing is changed
 */
export function fusedUpdate(update: Update, learningRate: torch.Tensor, foundInf?: torch.Tensor): void {
  const { momentum, nesterov } = update;
  const [dampening, maximize, isFirstStep, gradScale] = [0, false, false, undefined];
  for (const { parameters, gradients, velocities, weightDecay } of listsOf(update)) {
    torch.op(
      name,
      parameters,
      gradients,
      velocities,
      weightDecay,
      momentum,
      learningRate,
      dampening,
      nesterov,
      maximize,
      isFirstStep,
      gradScale,
      foundInf,
    );
  }
}
