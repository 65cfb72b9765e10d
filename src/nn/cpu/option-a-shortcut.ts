import * as torch from "../../torch/index.js";

/** The option A shortcut of activations in blocks of channels; differentiable once. @param channels a multiple of sixteen */
export function optionAInBlocks(x: torch.Tensor, channels: number, stride: number): torch.Tensor {
  return torch.op("lyceum::option_a_shortcut", x, channels, stride);
}
