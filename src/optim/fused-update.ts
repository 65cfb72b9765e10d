import * as torch from "../torch/index.js";
import type { Update } from "./update.js";

const name = "aten::_fused_sgd_.tensor_lr";

/** Whether libtorch has SGD in one operator: on CUDA since 2.3, on the CPU since 2.4. */
export const hasFusedUpdate: boolean = torch.hasOperator(name);

/**
 * SGD in one pass over memory. The learning rate is a tensor on the device, so that a captured step takes a new one.
 *
 * @param learningRate float32 [1]
 * @param foundInf float32 [1]: where it is not 0, nothing is changed
 */
export function fusedUpdate(update: Update, learningRate: torch.Tensor, foundInf?: torch.Tensor): void {
  const { ready, undecayed, weightDecay } = update;
  const free = ready.filter(({ parameter }) => undecayed.has(parameter));
  const decaying = ready.filter(({ parameter }) => !undecayed.has(parameter));
  fused({ ...update, ready: decaying, weightDecay }, learningRate, foundInf);
  fused({ ...update, ready: free, weightDecay: 0 }, learningRate, foundInf);
}

function fused(
  { ready, velocities, momentum, nesterov, weightDecay }: Update,
  learningRate: torch.Tensor,
  foundInf: torch.Tensor | undefined,
): void {
  if (ready.length === 0) return;
  const parameters = ready.map(({ parameter }) => parameter);
  const gradients = ready.map(({ gradient }) => gradient);
  if (momentum > 0) {
    for (const parameter of parameters) {
      // momentum · 0 + g is the first gradient, as it shall be.
      if (!velocities.has(parameter)) velocities.set(parameter, torch.keep(torch.zerosLike(parameter)));
    }
  }
  const moving = momentum > 0 ? parameters.map((parameter) => velocities.get(parameter)!) : [];
  const [dampening, maximize, isFirstStep, gradScale] = [0, false, false, undefined];
  torch.op(
    name,
    parameters,
    gradients,
    moving,
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
