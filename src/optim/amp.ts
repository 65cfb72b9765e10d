/**
 * The two operators of torch.amp.GradScaler, and the same computations out of plain ones for the CPU before libtorch 2.3,
 * which has neither.
 */
import * as torch from "../torch/index.js";

export interface ScaleRule {
  growthFactor: number;
  backoffFactor: number;
  growthInterval: number;
}

let onCpu: boolean | undefined;

function hasOperators(tensor: torch.Tensor): boolean {
  if (tensor.device !== "cpu") return true;
  onCpu ??= torch.scope(() => {
    const one = () => torch.ones([1]);
    try {
      torch.op("aten::_amp_foreach_non_finite_check_and_unscale_", [one()], one(), one());
      return true;
    } catch {
      return false;
    }
  });
  return onCpu;
}

/**
 * Multiplies the gradients by `inverse` in place, and sets `foundInf` to 1 where an element is not finite.
 *
 * @param foundInf float32 [1]
 * @param inverse float32 [1], one over the scale
 */
export function unscale(gradients: torch.Tensor[], foundInf: torch.Tensor, inverse: torch.Tensor): void {
  if (gradients.length === 0) return;
  if (hasOperators(foundInf))
    torch.op("aten::_amp_foreach_non_finite_check_and_unscale_", gradients, foundInf, inverse);
  else unscaleByParts(gradients, foundInf, inverse);
}

/** Lowers the scale where a gradient was not finite, and raises it after `growthInterval` steps in which all were. */
export function updateScale(
  scale: torch.Tensor,
  growthTracker: torch.Tensor,
  foundInf: torch.Tensor,
  rule: ScaleRule,
): void {
  const { growthFactor, backoffFactor, growthInterval } = rule;
  if (hasOperators(scale)) {
    const factors = [growthFactor, backoffFactor, growthInterval];
    torch.op("aten::_amp_update_scale_", scale, growthTracker, foundInf, ...factors);
  } else updateScaleByParts(scale, growthTracker, foundInf, rule);
}

/** {@link unscale} out of plain operators. */
export function unscaleByParts(
  gradients: torch.Tensor[],
  foundInf: torch.Tensor,
  inverse: torch.Tensor,
): void {
  const factor = inverse.reshape([]);
  for (const gradient of gradients) {
    foundInf.maskedFill_(gradient.isfinite().all().logicalNot(), 1);
    gradient.mul_(factor);
  }
}

/** {@link updateScale} out of plain operators. */
export function updateScaleByParts(
  scale: torch.Tensor,
  growthTracker: torch.Tensor,
  foundInf: torch.Tensor,
  { growthFactor, backoffFactor, growthInterval }: ScaleRule,
): void {
  const found = foundInf.ne(0);
  const count = growthTracker.add(1);
  const due = count.eq(growthInterval);
  const raised = scale.mul(growthFactor);
  const kept = torch.where(due.logicalAnd(raised.isfinite()), raised, scale);
  scale.copy_(torch.where(found, scale.mul(backoffFactor), kept));
  // The scale above is decided by the old count, so that the new one is written last.
  growthTracker.copy_(count.maskedFill(found, 0).maskedFill(due, 0));
}
