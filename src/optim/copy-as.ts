import * as torch from "../torch/index.js";

/** A copy that no scope frees, in the dtype, device and memory format of `like`; a file keeps none but the first. */
export function copyAs(like: torch.Tensor, value: torch.Tensor): torch.Tensor {
  return torch.noGrad(() => torch.keep(torch.emptyLike(like).copy_(value)));
}
