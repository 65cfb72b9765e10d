import type * as torch from "../torch/index.js";

/** Losses are never computed in less than float32. */
export function asFloat(logits: torch.Tensor): torch.Tensor {
  return logits.dtype === "bfloat16" ? logits.to({ dtype: "float32" }) : logits;
}
