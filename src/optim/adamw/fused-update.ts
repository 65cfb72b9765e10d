import * as torch from "../../torch/index.js";
import type { Update } from "./update.js";

const name = "aten::_fused_adamw_.tensor_lr";

let has: boolean | undefined;

/** Whether libtorch has AdamW in one operator that takes the rate as a tensor: on CUDA since 2.1, on the CPU since 2.4. */
export function hasFusedUpdate(): boolean {
  has ??= torch.hasOperator(name);
  return has;
}

/**
 * AdamW in one pass over memory.
 *
 * @param learningRate float32 [1]
 * @param foundInf float32 [1]: where it is not 0, nothing is changed
 */
export function fusedUpdate(update: Update, learningRate: torch.Tensor, foundInf?: torch.Tensor): void {
  const { ready, moments, step, betas, eps, undecayed } = update;
  // The operator reads the step that it takes; a step that it leaves out is taken back.
  step.add_(1);
  for (const decays of [true, false]) {
    const chosen = ready.flatMap(({ parameter }, i) => (undecayed.has(parameter) !== decays ? [i] : []));
    if (chosen.length === 0) continue;
    const [amsgrad, maximize, gradScale] = [false, false, undefined];
    torch.op(
      name,
      chosen.map((i) => ready[i]!.parameter),
      chosen.map((i) => ready[i]!.gradient),
      chosen.map((i) => moments[i]!.average),
      chosen.map((i) => moments[i]!.square),
      [],
      chosen.map(() => step),
      learningRate,
      betas[0],
      betas[1],
      decays ? update.weightDecay : 0,
      eps,
      amsgrad,
      maximize,
      gradScale,
      foundInf,
    );
  }
  if (foundInf) step.sub_(foundInf.reshape([]));
}
