import * as torch from "../torch/index.js";

/**
 * Losses are never computed in less than float32.
 *
 * @param logits what a network's `forward` gave back
 * @throws TypeError when that is no tensor
 */
export function asFloat(logits: torch.Tensor): torch.Tensor {
  if (!torch.isTensor(logits))
    throw new TypeError(`a network's forward must give back a tensor, got ${typeof logits}`);
  const { dtype } = logits;
  return dtype === "bfloat16" || dtype === "float16" ? logits.to({ dtype: "float32" }) : logits;
}
