import * as torch from "../torch/index.js";

/**
 * Brings logits of 16 bits to float32, since losses are never computed in less.
 *
 * @param logits what a network's `forward` returned
 * @throws TypeError when that is not a tensor
 */
export function asFloat(logits: torch.Tensor): torch.Tensor {
  if (!torch.isTensor(logits))
    throw new TypeError(`a network's forward must give back a tensor, got ${typeof logits}`);
  const { dtype } = logits;
  return dtype === "bfloat16" || dtype === "float16" ? logits.to({ dtype: "float32" }) : logits;
}
