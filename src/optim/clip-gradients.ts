import * as torch from "../torch/index.js";

/** Keeps the division finite where all gradients are 0; PyTorch's own number. */
const tiny = 1e-6;

/**
 * Scales gradients in place so that their norm, all together as one vector, is at most `maxNorm` (Pascanu et al. 2013), as
 * torch.nn.utils.clip_grad_norm_ does it: by min(1, maxNorm / (norm + 1e-6)). Nothing waits for the device.
 *
 * It belongs between `backward` and `step`; with a GradScaler, between unscaling and the step, which is
 * `scaler.step(optimizer, { clipNorm })`.
 *
 * @returns the norm before, a scalar on the gradients' device; not finite where a gradient is not, and all are then scaled
 *   by NaN or 0
 * @throws RangeError unless maxNorm is finite and above 0
 */
export function clipGradients(gradients: readonly torch.Tensor[], maxNorm: number): torch.Tensor {
  if (!(maxNorm > 0 && Number.isFinite(maxNorm)))
    throw new RangeError(`maxNorm must be finite and above 0, got ${maxNorm}`);
  if (gradients.length === 0) return torch.zeros([]);
  return torch.noGrad(() =>
    torch.scope(() => {
      const norms: torch.Tensor[] = torch.op("aten::_foreach_norm.Scalar", gradients, 2);
      const norm = torch.stack(norms).norm();
      const factor = norm.add(tiny).reciprocal().mul(maxNorm).clamp(undefined, 1);
      torch.foreachMul_(
        gradients,
        gradients.map(() => factor),
      );
      return norm;
    }),
  );
}
