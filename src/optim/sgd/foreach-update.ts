import type { Parameter } from "../../nn/index.js";
import * as torch from "../../torch/index.js";
import type { Update } from "./update.js";

/**
 * SGD by a few operators on whole lists. The first velocity is the first gradient.
 *
 * @param learningRate a number, or float32 [1] on the device
 */
export function foreachUpdate(update: Update, learningRate: number | torch.Tensor): void {
  const parameters = update.ready.map(({ parameter }) => parameter);
  const steps = directions(update, parameters, decayed(update));
  if (typeof learningRate === "number") torch.foreachAdd_(parameters, steps, { alpha: -learningRate });
  else torch.foreachAddcmul_(parameters, steps, rates(parameters, learningRate), -1);
}

/** The rate once for each parameter, because libtorch 1.13 cannot multiply a list by one tensor. */
function rates(parameters: readonly Parameter[], learningRate: torch.Tensor): torch.Tensor[] {
  const rate = learningRate.reshape([]);
  return parameters.map((parameter) => rate.to({ dtype: parameter.dtype }));
}

function decayed({ ready, undecayed, weightDecay }: Update): torch.Tensor[] {
  const gradients = ready.map(({ gradient }) => gradient);
  const chosen = ready.flatMap(({ parameter }, i) => (undecayed.has(parameter) ? [] : [i]));
  if (weightDecay === 0 || chosen.length === 0) return gradients;
  const sums = torch.foreachAdd(
    chosen.map((i) => gradients[i]!),
    chosen.map((i) => ready[i]!.parameter),
    { alpha: weightDecay },
  );
  chosen.forEach((i, at) => {
    gradients[i] = sums[at]!;
  });
  return gradients;
}

function directions(
  { velocities, momentum, nesterov }: Update,
  parameters: Parameter[],
  gradients: torch.Tensor[],
): torch.Tensor[] {
  if (momentum === 0) return gradients;
  const known = parameters.flatMap((parameter, i) => (velocities.has(parameter) ? [i] : []));
  const moving = known.map((i) => velocities.get(parameters[i]!)!);
  if (known.length > 0) {
    torch.foreachMul_(moving, momentum);
    torch.foreachAdd_(
      moving,
      known.map((i) => gradients[i]!),
    );
  }
  parameters.forEach((parameter, i) => {
    if (!velocities.has(parameter)) velocities.set(parameter, torch.keep(gradients[i]!.clone()));
  });
  const current = parameters.map((parameter) => velocities.get(parameter)!);
  return nesterov ? torch.foreachAdd(gradients, current, { alpha: momentum }) : current;
}
