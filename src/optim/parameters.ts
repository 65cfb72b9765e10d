import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** A parameter that an update reaches. */
export interface Ready {
  parameter: Parameter;
  gradient: torch.Tensor;
}

/** The parameters that have a gradient. */
export function readyOf(parameters: readonly Parameter[]): Ready[] {
  return parameters.flatMap((parameter) => {
    const gradient = parameter.grad;
    return gradient ? [{ parameter, gradient }] : [];
  });
}

/** Whether the parameters are on a GPU. */
export function onCard(parameters: readonly Parameter[]): boolean {
  return parameters[0]?.device.startsWith("cuda") ?? false;
}

/** @throws RangeError that names an option below 0 or not finite */
export function checkNotNegative(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw new RangeError(`${name} must be 0 or more, got ${value}`);
  }
}

/** A copy that no scope frees, in the dtype, device and memory format of `like`; a file keeps none but the first. */
export function copyAs(like: torch.Tensor, value: torch.Tensor): torch.Tensor {
  return torch.noGrad(() => torch.keep(torch.emptyLike(like).copy_(value)));
}
